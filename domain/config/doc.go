// Package config reads Agnes's configuration: instance.yaml, its overlay, the
// environment and the command line become one typed Config. It reads no file
// and no environment itself; main hands it the texts.
//
// Load is the entry point and reports every mistake at once. Settings is the
// one table of what can be set: Load, --help and the README are made of it.
// Places says which files main has to read first.
package config
