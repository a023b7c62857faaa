package syncs

import (
	"errors"
	"fmt"

	"agnes/domain/registry"
	"agnes/domain/work"
)

// stillGone words the failure of a sync that somebody started for a table whose
// source does not offer it any more, so that the table stays marked as that.
func stillGone(t registry.Published, err error) error {
	var child *work.ChildError
	if t.Status.ErrorCode != GoneUpstream || !errors.As(err, &child) {
		return err
	}
	why := fmt.Sprintf("The source %s does not offer %s any more", t.Source(), t.Item())
	switch child.Failure.Code {
	case "table_missing":
	case "extract_missing":
		why = fmt.Sprintf("The source %s is gone from the server", t.Source())
	default:
		return err
	}
	served := " No rows of it are here."
	if t.Version != nil {
		served = " Its last rows are still served."
	}
	return &work.ChildError{Kind: child.Kind, Failure: work.Failure{
		Code: GoneUpstream, Cause: child.Failure.Cause, Message: why + ", so there is nothing to sync from." + served,
		NextStep: "Bring it back in the source, or remove the table here.",
	}}
}
