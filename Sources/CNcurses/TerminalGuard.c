#define _GNU_SOURCE
#include "TerminalGuard.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

// All signals that end a process at once by default. Real-time signals are added in fovea_guard_arm.
static const int fatal_signals[] = {SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,    SIGTRAP, SIGABRT, SIGSYS,
                                    SIGXCPU, SIGXFSZ, SIGUSR1, SIGUSR2,   SIGPROF, SIGVTALRM, SIGIO,
                                    SIGPWR,  SIGSTKFLT};
static const int ending_signals[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT};
#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static struct sigaction earlier[NSIG];
static struct termios saved_termios;
static int guarded_fd = -1;
static int wake_pipe[2] = {-1, -1};
static volatile sig_atomic_t armed = 0;
static volatile sig_atomic_t ending_signal = 0;
static volatile sig_atomic_t resized = 0;
static volatile sig_atomic_t stop_requested = 0;
static char alternate_stack[64 * 1024];

// Show the cursor, plain colors, mouse and bracketed paste off, the main screen.
static char restore_bytes[512] = "\x1b[?1006l\x1b[?1003l\x1b[?1002l\x1b[?1000l\x1b[?2004l\x1b[?2026l\x1b[0m\x1b[?25h\x1b[?1049l";
static volatile sig_atomic_t restore_count = 0;

void fovea_guard_set_restore(const char *bytes, int count) {
    if (count > (int)sizeof(restore_bytes)) return;
    memcpy(restore_bytes, bytes, (size_t)count);
    restore_count = count;
}

static void write_all(int fd, const char *bytes, int count) {
    while (count > 0) {
        ssize_t written = write(fd, bytes, (size_t)count);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;
        bytes += written;
        count -= (int)written;
    }
}

void fovea_guard_restore(void) {
    if (!armed) return;
    armed = 0;
    write_all(STDOUT_FILENO, restore_bytes, restore_count);
    tcsetattr(guarded_fd, TCSANOW, &saved_termios);
}

void fovea_guard_wake(void) {
    int saved = errno;
    if (wake_pipe[1] >= 0) (void)!write(wake_pipe[1], "w", 1);
    errno = saved;
}

static void raise_again(int signal) {
    fovea_guard_restore();
    sigaction(signal, &earlier[signal], NULL);
    raise(signal);
}

static void on_fatal(int signal) { raise_again(signal); }

static void on_ending(int signal) {
    if (ending_signal != 0) {
        // The second request, or the alarm: no more waiting for an orderly end.
        int chosen = signal == SIGALRM ? ending_signal : signal;
        fovea_guard_restore();
        struct sigaction fallback;
        memset(&fallback, 0, sizeof fallback);
        fallback.sa_handler = SIG_DFL;
        sigaction(chosen, &fallback, NULL);
        raise(chosen);
        return;
    }
    if (signal == SIGALRM) return;
    ending_signal = signal;
    alarm(3);
    fovea_guard_wake();
}

static void on_resize(int signal) {
    (void)signal;
    resized = 1;
    fovea_guard_wake();
}

static void on_stop(int signal) {
    (void)signal;
    stop_requested = 1;
    fovea_guard_wake();
}

static void install(int signal, void (*handler)(int), int flags) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, &earlier[signal]);
}

bool fovea_guard_arm(int fd) {
    if (tcgetattr(fd, &saved_termios) != 0) return false;
    if (wake_pipe[0] < 0 && pipe2(wake_pipe, O_NONBLOCK | O_CLOEXEC) != 0) return false;
    static bool exit_registered = false;
    if (!exit_registered) {
        exit_registered = true;
        atexit(fovea_guard_restore);
    }
    guarded_fd = fd;
    ending_signal = 0;
    if (restore_count == 0) restore_count = (int)strlen(restore_bytes);
    // A stack overflow leaves no room for the handler on the stack of the thread that arms us.
    stack_t stack = {.ss_sp = alternate_stack, .ss_flags = 0, .ss_size = sizeof alternate_stack};
    sigaltstack(&stack, NULL);
    for (int i = 0; i < COUNT(fatal_signals); i++) install(fatal_signals[i], on_fatal, SA_ONSTACK | SA_NODEFER);
    for (int signal = SIGRTMIN; signal <= SIGRTMAX; signal++) install(signal, on_fatal, SA_ONSTACK | SA_NODEFER);
    for (int i = 0; i < COUNT(ending_signals); i++) install(ending_signals[i], on_ending, SA_RESTART);
    install(SIGALRM, on_ending, SA_RESTART);
    // Taken before ncurses starts, or it would handle both on whatever thread they hit.
    install(SIGWINCH, on_resize, SA_RESTART);
    install(SIGTSTP, on_stop, SA_RESTART);
    // Threads of a dispatch queue block most signals, and threads they start inherit that.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_UNBLOCK, &all, NULL);
    armed = 1;
    return true;
}

void fovea_guard_disarm(void) {
    fovea_guard_restore();
    for (int i = 0; i < COUNT(fatal_signals); i++) sigaction(fatal_signals[i], &earlier[fatal_signals[i]], NULL);
    for (int signal = SIGRTMIN; signal <= SIGRTMAX; signal++) sigaction(signal, &earlier[signal], NULL);
    for (int i = 0; i < COUNT(ending_signals); i++) {
        // A program that is ending because of a signal keeps the handler: a second one must still end it at once.
        if (ending_signal == 0) sigaction(ending_signals[i], &earlier[ending_signals[i]], NULL);
    }
    if (ending_signal == 0) sigaction(SIGALRM, &earlier[SIGALRM], NULL);
    sigaction(SIGWINCH, &earlier[SIGWINCH], NULL);
    sigaction(SIGTSTP, &earlier[SIGTSTP], NULL);
}

int fovea_guard_wait(int fd) {
    struct pollfd sources[2] = {{.fd = fd, .events = POLLIN}, {.fd = wake_pipe[0], .events = POLLIN}};
    int woken = 0;
    while (woken == 0) {
        if (poll(sources, 2, -1) < 0) {
            if (errno != EINTR) return FOVEA_WAKE_GONE;
        } else {
            if (sources[0].revents & POLLIN) woken |= FOVEA_WAKE_INPUT;
            else if (sources[0].revents & (POLLHUP | POLLERR | POLLNVAL)) woken |= FOVEA_WAKE_GONE;
            if (sources[1].revents & POLLIN) {
                char drained[256];
                while (read(wake_pipe[0], drained, sizeof drained) > 0) {}
                woken |= FOVEA_WAKE_REQUEST;
            }
        }
        if (resized) {
            resized = 0;
            woken |= FOVEA_WAKE_RESIZE;
        }
        if (stop_requested) {
            stop_requested = 0;
            woken |= FOVEA_WAKE_STOP;
        }
        if (ending_signal != 0) woken |= FOVEA_WAKE_END;
    }
    return woken;
}

int fovea_guard_ending_signal(void) { return ending_signal; }

void fovea_guard_stop_process(void) {
    write_all(STDOUT_FILENO, restore_bytes, restore_count);
    tcsetattr(guarded_fd, TCSANOW, &saved_termios);
    // Raised on this thread with the default action, so that the thread stops at once.
    struct sigaction stopping, ours;
    memset(&stopping, 0, sizeof stopping);
    stopping.sa_handler = SIG_DFL;
    sigaction(SIGTSTP, &stopping, &ours);
    raise(SIGTSTP);
    sigaction(SIGTSTP, &ours, NULL);
}
