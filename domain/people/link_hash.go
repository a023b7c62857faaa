package people

import "crypto/sha256"

// LinkHash is what the state keeps of a one-time link. The purpose is part of
// it, so that a link made for one purpose opens nothing else.
func LinkHash(purpose, token string) []byte {
	h := sha256.Sum256([]byte(purpose + ":" + token))
	return h[:]
}
