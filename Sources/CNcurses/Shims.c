#define _GNU_SOURCE
#define NCURSES_WIDECHAR 1
#include "CNcurses.h"
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

// <term.h> names every capability by a macro; these two are words we need.
#undef columns
#undef lines

bool fovea_use_utf8_locale(void) {
    if (setlocale(LC_CTYPE, "") != NULL && strcmp(nl_langinfo(CODESET), "UTF-8") == 0) return true;
    return setlocale(LC_CTYPE, "C.UTF-8") != NULL && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

int fovea_scalar_width(uint32_t scalar) { return wcwidth((wchar_t)scalar); }

SCREEN *fovea_open(const char *term) {
    SCREEN *screen = newterm(term, stdout, stdin);
    if (screen != NULL) set_term(screen);
    return screen;
}

bool fovea_knows_terminal(const char *term) {
    int error = 0;
    TERMINAL *before = set_curterm(NULL);
    bool known = setupterm(term, STDOUT_FILENO, &error) == OK;
    if (known) del_curterm(cur_term);
    set_curterm(before);
    return known;
}

// Codes above ncurses' own for keys that terminfo has no names for.
enum { PASTE_BEGIN = 0x4000, PASTE_END, MODIFIED = 0x4100 };

static void define_modified_keys(void) {
    // xterm's form, which every current terminal sends: CSI 1 ; m X, m = 1 + (shift 1 | alt 2 | control 4).
    static const struct { char final; fovea_key key; } finals[] = {
        {'A', FOVEA_KEY_UP}, {'B', FOVEA_KEY_DOWN}, {'C', FOVEA_KEY_RIGHT}, {'D', FOVEA_KEY_LEFT}, {'H', FOVEA_KEY_HOME}, {'F', FOVEA_KEY_END},
    };
    for (size_t i = 0; i < sizeof finals / sizeof finals[0]; i++) {
        for (int modifiers = 1; modifiers < 8; modifiers++) {
            char sequence[16];
            snprintf(sequence, sizeof sequence, "\x1b[1;%d%c", modifiers + 1, finals[i].final);
            define_key(sequence, MODIFIED + modifiers * 32 + (int)finals[i].key);
        }
    }
}

// Past ncurses' own buffer, which is empty outside of wrefresh.
static void write_text(const char *text) { (void)!write(STDOUT_FILENO, text, strlen(text)); }

void fovea_prepare(bool colors, bool mouse) {
    raw();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    meta(stdscr, TRUE);
    leaveok(stdscr, FALSE);
    set_escdelay(25);
    if (colors && has_colors()) {
        start_color();
        use_default_colors();
    }
    define_key("\x1b[200~", PASTE_BEGIN);
    define_key("\x1b[201~", PASTE_END);
    define_modified_keys();
    if (mouse) {
        mousemask(BUTTON1_PRESSED | BUTTON1_RELEASED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
        mouseinterval(0);
    }
    write_text("\x1b[?2004h");
}

int fovea_color_count(void) { return has_colors() ? COLORS : 0; }
int fovea_pair_count(void) { return has_colors() ? COLOR_PAIRS : 0; }

void fovea_size(int *columns, int *rows) {
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
        *columns = size.ws_col;
        *rows = size.ws_row;
    } else {
        *columns = COLS;
        *rows = LINES;
    }
}

void fovea_resize(int columns, int rows) {
    if (columns != COLS || rows != LINES) resizeterm(rows, columns);
}

void fovea_put(int y, int x, const uint32_t *scalars, int count, unsigned attributes, int pair) {
    wchar_t text[CCHARW_MAX + 1] = {0};
    if (count > CCHARW_MAX) count = CCHARW_MAX;
    for (int i = 0; i < count; i++) text[i] = (wchar_t)scalars[i];
    attr_t bits = WA_NORMAL;
    if (attributes & FOVEA_BOLD) bits |= WA_BOLD;
    if (attributes & FOVEA_UNDERLINE) bits |= WA_UNDERLINE;
    if (attributes & FOVEA_REVERSE) bits |= WA_REVERSE;
    cchar_t cell;
    // The pair goes by pointer: a short cannot hold it on direct-color terminals.
    if (setcchar(&cell, text, bits, 0, &pair) == OK) mvwadd_wch(stdscr, y, x, &cell);
}

void fovea_begin_frame(bool synchronized, int cursor_x, int cursor_y) {
    if (cursor_x >= 0) {
        curs_set(1);
        wmove(stdscr, cursor_y, cursor_x);
    } else {
        curs_set(0);
    }
    if (synchronized) write_text("\x1b[?2026h");
    wrefresh(stdscr);
}

static void write_bytes(const uint8_t *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, count);
        if (written < 0 && errno == EAGAIN) {
            struct pollfd sink = {.fd = STDOUT_FILENO, .events = POLLOUT};
            poll(&sink, 1, 100);
            continue;
        }
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;
        bytes += written;
        count -= (size_t)written;
    }
}

void fovea_write_over_frame(const uint8_t *bytes, int count) {
    write_text("\x1b" "7");
    write_bytes(bytes, (size_t)count);
    write_text("\x1b" "8");
}

void fovea_end_frame(bool synchronized) {
    if (synchronized) write_text("\x1b[?2026l");
}

static struct termios before_asking;
static bool is_asking = false;

void fovea_begin_asking(const char *questions) {
    if (tcgetattr(STDIN_FILENO, &before_asking) != 0) return;
    struct termios quiet = before_asking;
    quiet.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    quiet.c_cc[VMIN] = 0;
    quiet.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSANOW, &quiet) != 0) return;
    is_asking = true;
    write_text(questions);
}

int fovea_read_answer(uint8_t *bytes, int capacity, int milliseconds) {
    if (!is_asking) return -1;
    struct pollfd source = {.fd = STDIN_FILENO, .events = POLLIN};
    int ready;
    // A new window is resized at once by many a window manager: the signal must not end the waiting.
    while ((ready = poll(&source, 1, milliseconds)) < 0 && errno == EINTR) continue;
    if (ready == 0) return 0;
    if (ready < 0 || !(source.revents & POLLIN)) return -1;
    ssize_t count = read(STDIN_FILENO, bytes, (size_t)capacity);
    return count > 0 ? (int)count : -1;
}

void fovea_end_asking(void) {
    if (is_asking) tcsetattr(STDIN_FILENO, TCSANOW, &before_asking);
    is_asking = false;
}

bool fovea_cell_pixels(int *width, int *height) {
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return false;
    *width = size.ws_xpixel / size.ws_col;
    *height = size.ws_ypixel / size.ws_row;
    return *width >= 2 && *height >= 4 && *width <= 200 && *height <= 400;
}

WINDOW *fovea_standard_window(void) { return stdscr; }

const char *fovea_capability(const char *name) {
    const char *value = tigetstr(name);
    return value == (char *)-1 ? NULL : value;
}

void fovea_redraw_everything(void) { clearok(curscr, TRUE); }

static fovea_input key_input(fovea_key key, unsigned modifiers) {
    return (fovea_input){.kind = key == FOVEA_KEY_NONE ? FOVEA_INPUT_NONE : FOVEA_INPUT_KEY, .key = key, .modifiers = modifiers};
}

static fovea_input mouse_input(void) {
    MEVENT event;
    fovea_input input = {.kind = FOVEA_INPUT_MOUSE, .action = FOVEA_MOUSE_OTHER};
    if (getmouse(&event) != OK) return input;
    input.x = event.x;
    input.y = event.y;
    if (event.bstate & BUTTON1_PRESSED) input.action = FOVEA_MOUSE_PRESS;
    else if (event.bstate & BUTTON1_RELEASED) input.action = FOVEA_MOUSE_RELEASE;
    else if (event.bstate & BUTTON4_PRESSED) input.action = FOVEA_MOUSE_SCROLL_UP;
    else if (event.bstate & BUTTON5_PRESSED) input.action = FOVEA_MOUSE_SCROLL_DOWN;
    return input;
}

static fovea_input named_key(int code) {
    static const struct { int code; fovea_key key; unsigned modifiers; } names[] = {
        {KEY_UP, FOVEA_KEY_UP, 0}, {KEY_DOWN, FOVEA_KEY_DOWN, 0}, {KEY_LEFT, FOVEA_KEY_LEFT, 0}, {KEY_RIGHT, FOVEA_KEY_RIGHT, 0},
        {KEY_HOME, FOVEA_KEY_HOME, 0}, {KEY_END, FOVEA_KEY_END, 0}, {KEY_PPAGE, FOVEA_KEY_PAGE_UP, 0}, {KEY_NPAGE, FOVEA_KEY_PAGE_DOWN, 0},
        {KEY_IC, FOVEA_KEY_INSERT, 0}, {KEY_DC, FOVEA_KEY_DELETE, 0}, {KEY_BACKSPACE, FOVEA_KEY_BACKSPACE, 0}, {KEY_ENTER, FOVEA_KEY_ENTER, 0},
        {KEY_BTAB, FOVEA_KEY_BACK_TAB, 0}, {KEY_SLEFT, FOVEA_KEY_LEFT, FOVEA_SHIFT}, {KEY_SRIGHT, FOVEA_KEY_RIGHT, FOVEA_SHIFT},
        {KEY_SR, FOVEA_KEY_UP, FOVEA_SHIFT}, {KEY_SF, FOVEA_KEY_DOWN, FOVEA_SHIFT},
    };
    if (code == KEY_MOUSE) return mouse_input();
    if (code == PASTE_BEGIN) return (fovea_input){.kind = FOVEA_INPUT_PASTE_BEGIN};
    if (code == PASTE_END) return (fovea_input){.kind = FOVEA_INPUT_PASTE_END};
    if (code >= MODIFIED && code < MODIFIED + 8 * 32) return key_input((fovea_key)((code - MODIFIED) % 32), (unsigned)(code - MODIFIED) / 32);
    if (code >= KEY_F(1) && code <= KEY_F(12)) return key_input((fovea_key)(FOVEA_KEY_F1 + code - KEY_F(1)), 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].code == code) return key_input(names[i].key, names[i].modifiers);
    }
    // A key we have no use for still counts as read.
    return (fovea_input){.kind = FOVEA_INPUT_KEY, .key = FOVEA_KEY_NONE};
}

// Reads on to the end of an answer of the terminal that came after it was waited for. No key sends such a sequence.
static void skip_answer(bool is_string) {
    wint_t code = 0;
    for (int length = 0; length < 256 && wget_wch(stdscr, &code) == OK; length++) {
        if (is_string ? code == '\\' : code >= 0x40) return;
    }
}

fovea_input fovea_read(void) {
    wint_t code = 0;
    int kind = wget_wch(stdscr, &code);
    if (kind == ERR) return (fovea_input){.kind = FOVEA_INPUT_NONE};
    if (kind == KEY_CODE_YES) return named_key((int)code);
    if (code != 27) return (fovea_input){.kind = FOVEA_INPUT_CHARACTER, .scalar = (uint32_t)code};
    // Escape followed at once by a character is that character with Alt.
    kind = wget_wch(stdscr, &code);
    if (kind == OK && (code == '[' || code == '_')) {
        wint_t next = 0;
        int following = wget_wch(stdscr, &next);
        if (following == OK && next == (code == '[' ? '?' : 'G')) {
            skip_answer(code == '_');
            return fovea_read();
        }
        if (following == OK) unget_wch((wchar_t)next);
        if (following == KEY_CODE_YES) ungetch((int)next);
    }
    if (kind == OK && code != 27) return (fovea_input){.kind = FOVEA_INPUT_CHARACTER, .scalar = (uint32_t)code, .modifiers = FOVEA_ALT};
    if (kind == KEY_CODE_YES) {
        fovea_input input = named_key((int)code);
        input.modifiers |= FOVEA_ALT;
        return input;
    }
    return (fovea_input){.kind = FOVEA_INPUT_CHARACTER, .scalar = 27};
}
