// What Swift cannot express of the media libraries: variadic callbacks (ALSA).
#pragma once

/// Keeps libasound from printing to standard error, where it would write over a terminal interface. Returns 0 on success.
int fovea_alsa_silence(void);
