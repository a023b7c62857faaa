package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"agnes/domain/config"
)

// signingKey is the key of access tokens: from the configuration, else from
// the state folder, where the first start writes one (contract 9.2).
func signingKey(cfg config.Config) ([]byte, error) {
	if cfg.Auth.JWTSecretKey.Set() {
		return []byte(cfg.Auth.JWTSecretKey.Reveal()), nil
	}
	file := filepath.Join(cfg.Dirs.State, ".jwt_secret")
	data, err := os.ReadFile(file)
	if err == nil {
		if key := strings.TrimSpace(string(data)); len(key) >= 32 {
			return []byte(key), nil
		}
		return nil, errors.New("the file .jwt_secret in the state folder is too short to be a key; remove it to get a new one, which ends all sign-ins by token")
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the signing key: %w", err)
	}
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	key := hex.EncodeToString(raw)
	if err := writeOnce(file, key+"\n"); err != nil {
		return nil, fmt.Errorf("keep the signing key: %w", err)
	}
	return []byte(key), nil
}

// writeOnce writes a secret file that must not exist yet, durably and whole: a
// server that is killed meanwhile leaves no half key.
func writeOnce(file, text string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(file), ".secret-*") // 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Link(f.Name(), file)
}
