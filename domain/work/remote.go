package work

import (
	"log/slog"
	"time"
)

// Inspected is what a look at a custom extract found.
type Inspected struct {
	Tables []SourceTable `json:"tables"`
	Remote []RemoteRow   `json:"remote,omitempty"`
}

// RemoteRow is one row of an extract's _remote_attach (contract 12.1), as it was
// written: nothing of it is checked yet.
type RemoteRow struct {
	Alias     string `json:"alias"`
	Extension string `json:"extension"`
	URL       string `json:"url"`
	TokenEnv  string `json:"token_env"`
	// Unreadable stands for a whole _remote_attach that cannot be read now.
	Unreadable bool `json:"unreadable,omitempty"`
}

// Attachment is an outside system that a child may try to reach. Its address
// and its token go to the child on standard input and nowhere else.
type Attachment struct {
	Alias     string `json:"alias"`
	Extension string `json:"extension"`
	URL       string `json:"url"`
	Token     string `json:"token,omitempty"`
	// QueryTimeout ends one query there, where the extension can; 0 leaves it to the extension.
	QueryTimeout time.Duration `json:"query_timeout,omitempty"`
}

// BigQuery is the extension whose token is a short-lived one of Google's.
const BigQuery = "bigquery"

// String hides address and token from whoever prints an attachment.
func (a Attachment) String() string { return a.Alias + " (" + a.Extension + ")" }

// GoString is String: %#v shows no more.
func (a Attachment) GoString() string { return a.String() }

// LogValue hides address and token from the log.
func (a Attachment) LogValue() slog.Value { return slog.StringValue(a.String()) }

// Attached says how a try to reach an outside system went; Code is "" when it
// answered. Message names neither address nor token.
type Attached struct {
	Alias   string `json:"alias"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
}
