// C shims for the parts of ncurses that are macros, variadic or global variables; the rest is re-exported as it is.
#pragma once
#define NCURSES_WIDECHAR 1
#define _XOPEN_SOURCE_EXTENDED 1
#include <ncurses.h>
#include <stdbool.h>
#include <stdint.h>
#include "TerminalGuard.h"

// Makes LC_CTYPE a UTF-8 locale if there is one: the user's, or C.UTF-8. False when neither exists.
bool fovea_use_utf8_locale(void);

// Columns a Unicode scalar takes (0, 1, 2), or -1 for control characters; by the C library, whose opinion ncurses shares.
int fovea_scalar_width(uint32_t scalar);

// Attribute bits, independent of ncurses' own.
enum { FOVEA_BOLD = 1, FOVEA_UNDERLINE = 8, FOVEA_REVERSE = 16 };

// Opens `term` (a terminfo name) on the standard streams. NULL if there is no such entry.
SCREEN *fovea_open(const char *term);
// True when terminfo knows the name.
bool fovea_knows_terminal(const char *term);
// Input raw and unechoed, function keys decoded, pasted text bracketed, mouse on, default colors.
void fovea_prepare(bool colors, bool mouse);
int fovea_color_count(void);
int fovea_pair_count(void);
void fovea_size(int *columns, int *rows);
// Takes over a new size of the terminal, if it changed.
void fovea_resize(int columns, int rows);
// Puts a base scalar with up to two combining marks at (x, y) in a color pair.
void fovea_put(int y, int x, const uint32_t *scalars, int count, unsigned attributes, int pair);
// Sends what changed; the begin/end marks of synchronized output go around it when `synchronized`.
void fovea_begin_frame(bool synchronized, int cursor_x, int cursor_y);
/// Sends bytes that draw over what ncurses drew; the cursor comes back to where it was.
void fovea_write_over_frame(const uint8_t *bytes, int count);
void fovea_end_frame(bool synchronized);

/// Before fovea_open: sends questions to the terminal, whose answers are then not echoed.
void fovea_begin_asking(const char *questions);
/// Bytes that came within `milliseconds`; 0 when none did, -1 when there is nothing to read from.
int fovea_read_answer(uint8_t *bytes, int capacity, int milliseconds);
void fovea_end_asking(void);
/// A cell's size in pixels by what the terminal says of its window; false where it says nothing.
bool fovea_cell_pixels(int *width, int *height);
void fovea_redraw_everything(void);
// `stdscr`, a global that Swift may not touch.
WINDOW *fovea_standard_window(void);
// A string capability of the terminal in use, or NULL.
const char *fovea_capability(const char *name);

// What `fovea_read` found.
typedef enum {
    FOVEA_INPUT_NONE = 0, FOVEA_INPUT_CHARACTER, FOVEA_INPUT_KEY, FOVEA_INPUT_MOUSE, FOVEA_INPUT_PASTE_BEGIN, FOVEA_INPUT_PASTE_END
} fovea_input_kind;

typedef enum {
    FOVEA_KEY_NONE = 0, FOVEA_KEY_UP, FOVEA_KEY_DOWN, FOVEA_KEY_LEFT, FOVEA_KEY_RIGHT, FOVEA_KEY_HOME, FOVEA_KEY_END,
    FOVEA_KEY_PAGE_UP, FOVEA_KEY_PAGE_DOWN, FOVEA_KEY_INSERT, FOVEA_KEY_DELETE, FOVEA_KEY_BACKSPACE, FOVEA_KEY_ENTER,
    FOVEA_KEY_BACK_TAB, FOVEA_KEY_F1 = 100, FOVEA_KEY_F12 = 111
} fovea_key;
enum { FOVEA_SHIFT = 1, FOVEA_ALT = 2, FOVEA_CONTROL = 4 };
typedef enum { FOVEA_MOUSE_OTHER = 0, FOVEA_MOUSE_PRESS, FOVEA_MOUSE_RELEASE, FOVEA_MOUSE_SCROLL_UP, FOVEA_MOUSE_SCROLL_DOWN } fovea_mouse_action;

typedef struct {
    fovea_input_kind kind;
    uint32_t scalar;
    fovea_key key;
    unsigned modifiers;
    fovea_mouse_action action;
    int x, y;
} fovea_input;

// The next input without waiting.
fovea_input fovea_read(void);
