package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"

	"agnes/domain"
)

const defaultServer = "http://127.0.0.1:8000"

// signIn is the content of token.json. Server says whose token it is, so that
// it is never sent to another; older files do not have it.
type signIn struct {
	AccessToken string `json:"access_token"`
	Email       string `json:"email"`
	Server      string `json:"server,omitempty"`
}

// configDir is the folder of config.yaml, token.json and sync_state.json.
func (a *app) configDir() (string, error) {
	if dir := a.env.Getenv("AGNES_CONFIG_DIR"); dir != "" {
		return dir, nil
	}
	if a.env.ConfigDir == "" {
		return "", domain.E(domain.Invalid, "no_config_dir", "There is no folder for the sign-in. Set AGNES_CONFIG_DIR to one.")
	}
	return filepath.Join(a.env.ConfigDir, "agnes"), nil
}

// workspace is the folder that tables are pulled into.
func (a *app) workspace() (string, error) {
	dir, err := filepath.Abs(a.env.Getenv("AGNES_LOCAL_DIR"))
	if err != nil {
		return "", fmt.Errorf("find the workspace: %w", err)
	}
	return dir, nil
}

// server is the address in use: the environment's, else the saved one.
func (a *app) server() (string, error) {
	if s := a.env.Getenv("AGNES_SERVER"); s != "" {
		return serverURL(s)
	}
	saved, err := a.readConfig()
	if err != nil {
		return "", err
	}
	for _, item := range saved {
		if s, ok := item.Value.(string); ok && item.Key == "server" && s != "" {
			return serverURL(s)
		}
	}
	return defaultServer, nil
}

// serverURL checks an address and writes it one way, without a trailing slash.
func serverURL(text string) (string, error) {
	text = strings.TrimSpace(text)
	if !strings.Contains(text, "://") {
		scheme := "https://"
		if host := (&url.URL{Host: strings.SplitN(text, "/", 2)[0]}).Hostname(); loopback(host) {
			scheme = "http://"
		}
		text = scheme + text
	}
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", usagef("%q is not a server's address; one looks like https://agnes.example.com", text)
	}
	u.Host = strings.ToLower(u.Host)
	return strings.TrimRight(u.String(), "/"), nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// token is the one to send to server, with the address that it belongs to:
// the saved sign-in, else AGNES_TOKEN.
func (a *app) token(server string) (signIn, error) {
	saved, err := a.readSignIn()
	if err != nil {
		return signIn{}, err
	}
	elsewhere := saved.AccessToken != "" && saved.Server != "" && saved.Server != server
	if saved.AccessToken != "" && !elsewhere {
		return saved, nil
	}
	if t := strings.TrimSpace(a.env.Getenv("AGNES_TOKEN")); t != "" {
		return signIn{AccessToken: t, Server: server}, nil
	}
	if elsewhere {
		return signIn{}, domain.E(domain.Unauthenticated, "signed_in_elsewhere",
			"You are signed in at %s, and this command asks %s. Sign in there with: agnes login --server %s", saved.Server, server, server)
	}
	return signIn{}, domain.E(domain.Unauthenticated, "not_signed_in", "You are not signed in at %s. Sign in with: agnes login --server %s", server, server)
}

func (a *app) readSignIn() (signIn, error) {
	var s signIn
	data, err := a.readConfigFile("token.json")
	if err != nil || len(data) == 0 {
		return s, err
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return s, domain.E(domain.Invalid, "token_file_damaged", "The saved sign-in cannot be read. Write it anew with: agnes login")
	}
	return s, nil
}

func (a *app) readConfig() (yaml.MapSlice, error) {
	data, err := a.readConfigFile("config.yaml")
	if err != nil || len(data) == 0 {
		return nil, err
	}
	var c yaml.MapSlice
	if err := yaml.Unmarshal(data, &c); err != nil {
		return nil, domain.E(domain.Invalid, "config_file_damaged", "The saved configuration config.yaml is not YAML. Correct or remove it.")
	}
	return c, nil
}

// readConfigFile reads a file of the configuration folder; one that is absent
// is empty.
func (a *app) readConfigFile(name string) ([]byte, error) {
	dir, err := a.configDir()
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return data, nil
}

// saveSignIn keeps the server's address and the token; only their owner can
// read the token.
func (a *app) saveSignIn(s signIn) error {
	saved, err := a.readConfig()
	if err != nil {
		return err
	}
	found := false
	for i := range saved {
		if saved[i].Key == "server" {
			saved[i].Value, found = s.Server, true
		}
	}
	if !found {
		saved = append(saved, yaml.MapItem{Key: "server", Value: s.Server})
	}
	config, err := yaml.Marshal(saved)
	if err != nil {
		return fmt.Errorf("write config.yaml: %w", err)
	}
	token, err := json.Marshal(s) //nolint:gosec // the file is for the token, and its owner's only
	if err != nil {
		return fmt.Errorf("write token.json: %w", err)
	}
	if err := a.writeConfigFile("token.json", append(token, '\n')); err != nil {
		return err
	}
	return a.writeConfigFile("config.yaml", config)
}

func (a *app) writeConfigFile(name string, data []byte) error {
	dir, err := a.configDir()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the folder for %s: %w", name, err)
	}
	if err := replaceFile(filepath.Join(dir, name), data); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
