// Gives the terminal back on every way out of the process.
//
// While armed, every signal that ends a process (SIGSEGV, SIGABRT, SIGUSR1, real-time signals and so on) writes the restore
// sequences, resets termios and is then raised again for its earlier handler. A request to end (SIGTERM, SIGHUP, SIGINT, SIGQUIT)
// wakes the terminal's thread first, so that the program may end in order; a second one, or three seconds, end it.
#pragma once
#include <stdbool.h>

// Saves termios of `fd`, installs the handlers, opens the wake pipe. False if that fails (errno says why).
bool fovea_guard_arm(int fd);
// Bytes that put the terminal back; called again after the terminal is known, replaces the generic ones.
void fovea_guard_set_restore(const char *bytes, int count);
// Writes the restore bytes and resets termios, once. Async-signal-safe.
void fovea_guard_restore(void);
// Restores, and puts the earlier signal handlers back.
void fovea_guard_disarm(void);

// Wakes the thread in `fovea_guard_wait`.
void fovea_guard_wake(void);

enum { FOVEA_WAKE_INPUT = 1, FOVEA_WAKE_REQUEST = 2, FOVEA_WAKE_RESIZE = 4, FOVEA_WAKE_END = 8, FOVEA_WAKE_GONE = 16, FOVEA_WAKE_STOP = 32 };
// Blocks until there is input, a wake, a resize or a request to end; returns what.
int fovea_guard_wait(int fd);
// The signal that asked for the end, or 0.
int fovea_guard_ending_signal(void);
// Gives the terminal back and stops the process (as Ctrl-Z does), returns when it is resumed.
void fovea_guard_stop_process(void);
