package cli

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/spf13/cobra"

	"agnes/domain"
)

// queryStream writes an answer to standard output as it comes, in memory that
// does not grow with it. One that breaks off is an error.
func (a *app) queryStream(cmd *cobra.Command, sql, kind string, flags queryFlags) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	body := map[string]any{"sql": sql}
	if flags.capped {
		body["limit"] = flags.limit
	}
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	req, err := c.request(ctx, http.MethodPost, "/api/query", body)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", kind)
	res, err := c.send(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= http.StatusMultipleChoices {
		return c.refusal(res)
	}
	if !sameKind(res.Header.Get("Content-Type"), kind) {
		return domain.E(domain.Unavailable, "no_stream", "%s does not answer in that format. It may be an older release; take --format json or csv.", c.server)
	}
	if _, err := io.Copy(cmd.OutOrStdout(), res.Body); err != nil {
		return domain.E(domain.Unavailable, "answer_cut", "The rows broke off (%s), so what was written is not whole. Try again.", clean(err.Error()))
	}
	if res.Trailer.Get("X-Query-Truncated") == "true" {
		fmt.Fprintf(cmd.ErrOrStderr(), "Only the first %s are there; there are more. Raise --limit, or narrow the statement.\n", count(flags.limit, "row"))
	}
	return nil
}

// sameKind compares media types without their parameters.
func sameKind(header, want string) bool {
	kind, _, err := mime.ParseMediaType(header)
	return err == nil && kind == want
}
