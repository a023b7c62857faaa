//go:build linux || darwin

package cli

import "golang.org/x/sys/unix"

// hideTyping stops the terminal from showing what is typed, until the function
// that it returns is called.
func hideTyping(fd int) (show func() error, err error) {
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, err
	}
	hidden := *before
	hidden.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(fd, setTermios, &hidden); err != nil {
		return nil, err
	}
	return func() error { return unix.IoctlSetTermios(fd, setTermios, before) }, nil
}
