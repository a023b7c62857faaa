package main

import (
	"net/http"
	"strings"

	"agnes/connectors/google"
	"agnes/domain/syncs"
)

// remotePolicy is which outside systems custom extracts may name. A token is
// read when it is needed, so that one that was changed is used at once.
func (a *app) remotePolicy() syncs.RemotePolicy {
	overlay := a.cfg.Dirs.EnvOverlayFile()
	return syncs.RemotePolicy{
		Extensions: a.cfg.Remote.Extensions, TokenEnvs: a.cfg.Remote.TokenEnvs,
		Token: func(name string) (string, bool) {
			development, derr := readEnvFile(".env")
			lines, err := readEnvFile(overlay)
			if derr != nil || err != nil { // their words may hold a line of the file
				a.log.Warn("a file of variables cannot be read", "variable", name)
			}
			return environment(development, lines)(name)
		},
		Google:       google.Tokens{Metadata: google.MetadataURL, Client: &http.Client{}}.Token,
		QueryTimeout: a.cfg.Remote.QueryTimeout,
	}
}

// tellRemotePolicy logs what custom extracts may name.
func (a *app) tellRemotePolicy() {
	a.log.Info("remote attach policy",
		"extensions", strings.Join(a.cfg.Remote.Extensions, ","), "token_envs", strings.Join(a.cfg.Remote.TokenEnvs, ","))
}
