package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal returns a terminal and the keyboard and screen at its other end.
func openTerminal(t *testing.T) (keyboard, terminal *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	n, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { terminal.Close() })
	return keyboard, terminal
}

func echoes(t *testing.T, terminal *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

func TestPasswordIsTypedUnseen(t *testing.T) {
	keyboard, terminal := openTerminal(t)
	if !echoes(t, terminal) {
		t.Fatal("a new terminal does not show what is typed")
	}
	a := newApp(Env{Stdin: terminal})
	if _, ok := a.terminal(); !ok {
		t.Fatal("a terminal is not taken for one")
	}
	show, err := hideTyping(int(terminal.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	if echoes(t, terminal) {
		t.Error("the terminal shows what is typed")
	}
	if err := show(); err != nil || !echoes(t, terminal) {
		t.Errorf("the terminal does not show what is typed any more: %v", err)
	}

	if _, err := io.WriteString(keyboard, "correct horse\n"); err != nil {
		t.Fatal(err)
	}
	cmd := a.loginCommand()
	cmd.SetContext(t.Context())
	var screen strings.Builder
	cmd.SetErr(&screen)
	got, err := a.secret(cmd, secretFlags{})
	if got != "correct horse" || err != nil {
		t.Errorf("secret = %q, %v", got, err)
	}
	if screen.String() != "Password: \n" || !echoes(t, terminal) {
		t.Errorf("the screen says %q, and typing is shown: %v", screen.String(), echoes(t, terminal))
	}
}

func TestStoppedWhileTyping(t *testing.T) {
	_, terminal := openTerminal(t)
	a := newApp(Env{Stdin: terminal})
	cmd := a.loginCommand()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	cmd.SetContext(ctx)
	cmd.SetErr(io.Discard)
	if _, err := a.secret(cmd, secretFlags{}); err == nil || !strings.Contains(err.Error(), "nothing was changed") {
		t.Errorf("secret = %v", err)
	}
	if !echoes(t, terminal) {
		t.Error("the terminal was left without its echo")
	}
	if _, err := a.ask(cmd, "E-mail: "); err == nil {
		t.Error("a question was answered by nobody")
	}
}
