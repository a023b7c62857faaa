//go:build !linux && !darwin

package cli

import "errors"

// hideTyping is not known here; the password comes by --password-stdin.
func hideTyping(int) (show func() error, err error) { return nil, errors.ErrUnsupported }
