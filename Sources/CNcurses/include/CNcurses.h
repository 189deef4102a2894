// C shims for the parts of ncurses that are macros or variadic; the rest is re-exported as it is.
#pragma once
#define NCURSES_WIDECHAR 1
#define _XOPEN_SOURCE_EXTENDED 1
#include <ncurses.h>
