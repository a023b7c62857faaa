package syncs

import (
	"context"
	"fmt"
	"slices"

	"agnes/domain"
	"agnes/domain/registry"
	"agnes/domain/work"
)

// reach tries the outside systems that an extract names. What goes wrong is
// said of each and fails nothing else.
func (w *Watcher) reach(ctx context.Context, source string, rows []work.RemoteRow) ([]Remote, error) {
	try, told := w.Remote.Judge(rows)
	if slices.ContainsFunc(rows, func(r work.RemoteRow) bool { return r.Unreadable }) {
		return told, nil // what it names, and has claimed, cannot be told now
	}
	try, taken, err := w.claim(ctx, source, rows, try)
	if err != nil {
		return nil, err
	}
	told = append(told, taken...)
	try, without := w.authorise(ctx, source, try)
	told = append(told, without...)
	if len(try) == 0 {
		return told, nil
	}
	answers := map[string]work.Attached{}
	if w.Attacher != nil {
		got, err := w.Attacher.AttachRemote(ctx, source, try)
		if err != nil {
			w.Log.Warn("outside systems were not tried", "source", source, "code", domain.CodeOf(err))
		}
		for _, a := range got {
			answers[a.Alias] = a
		}
	}
	for _, a := range try {
		answer, tried := answers[a.Alias]
		if !tried {
			answer = work.Attached{
				Code: "attach_not_tried", Message: fmt.Sprintf("%s could not be tried: the process for it ended or took too long. Look again later.", a.Alias),
			}
		}
		told = append(told, Remote{Alias: a.Alias, Extension: a.Extension, Code: answer.Code, Message: answer.Message})
	}
	return told, nil
}

// claim leaves those systems whose alias no other source has. The first source
// that names one keeps it for as long as it does, also while its extract is
// broken or gone.
func (w *Watcher) claim(ctx context.Context, source string, rows []work.RemoteRow, try []work.Attachment) (mine []work.Attachment, taken []Remote, err error) {
	var named, wanted []string
	for _, r := range rows {
		if registry.Identifier(r.Alias) {
			named = append(named, r.Alias)
		}
	}
	for _, a := range try {
		wanted = append(wanted, a.Alias)
	}
	owners, err := w.Sources.ClaimRemote(ctx, source, named, wanted)
	if err != nil {
		return nil, nil, fmt.Errorf("claim aliases: %w", err)
	}
	for _, a := range try {
		if owner := owners[a.Alias]; owner != source {
			taken = append(taken, Remote{
				Alias: a.Alias, Extension: a.Extension, Code: "alias_taken", Owner: owner,
				Message: fmt.Sprintf("The source %s named an outside system %s first and keeps the alias. Give it another one in the _remote_attach of this source.", owner, a.Alias),
			})
			continue
		}
		mine = append(mine, a)
	}
	return mine, taken, nil
}

// authorise gives systems in BigQuery the short-lived token that they take
// instead of what the server's variable holds.
func (w *Watcher) authorise(ctx context.Context, source string, try []work.Attachment) (able []work.Attachment, without []Remote) {
	for _, a := range try {
		if a.Extension != work.BigQuery {
			able = append(able, a)
			continue
		}
		a.QueryTimeout = w.Remote.QueryTimeout
		if w.Remote.Google != nil {
			token, err := w.Remote.Google(ctx, a.Token)
			if err != nil {
				w.Log.Warn("no access token for BigQuery", "source", source, "alias", a.Alias, "code", domain.CodeOf(err))
				without = append(without, Remote{
					Alias: a.Alias, Extension: a.Extension, Code: "token_missing",
					Message: fmt.Sprintf("Google gave the server no access token for %s. Run the server under a service account, or have the extract name "+
						"GOOGLE_APPLICATION_CREDENTIALS as its token_env and set that to a file of credentials; then look again.", a.Alias),
				})
				continue
			}
			a.Token = token
		}
		able = append(able, a)
	}
	return able, without
}
