package files

import (
	"errors"
	"io"
	"strings"
	"testing"

	"agnes/domain"
	"agnes/domain/files"
)

func TestUploadsBelongToWhoSentThem(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	whole, err := f.Stage(t.Context(), "ada", "a.csv", strings.NewReader("id\n1\n"))
	if err != nil || whole.Owner != "ada" {
		t.Fatalf("%+v, %v", whole, err)
	}
	p := mustBegin(t, f, "b.csv", 4)
	mustAppend(t, f, p.ID, 0, "id\n1")
	old, err := f.Stage(t.Context(), "", "c.csv", strings.NewReader("id\n1\n"))
	if err != nil {
		t.Fatal(err)
	}
	for id, owner := range map[files.UploadID]string{whole.ID: "ada", p.ID: "ada", old.ID: ""} {
		up, err := f.Staged(t.Context(), id)
		if err != nil || string(up.Owner) != owner {
			t.Errorf("%+v, %v, want one of %q", up, err, owner)
		}
	}
	if parts, err := f.Parts(t.Context(), "ada"); err != nil || len(parts) != 0 {
		t.Errorf("whole uploads count as unfinished: %v, %v", parts, err)
	}
	if _, err := f.Commit(t.Context(), whole.ID, "a"); err != nil {
		t.Error(err)
	}
}

func TestUnfinishedUploadsAreBounded(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	f.MaxParts = 2
	first := mustBegin(t, f, "a.csv", 4)
	mustBegin(t, f, "b.csv", 4)
	_, err := f.Begin(t.Context(), files.NewPart{Owner: "ada", Name: "c.csv", Bytes: 4})
	wantError(t, err, domain.Limited, "too_many_uploads")
	if _, err := f.Begin(t.Context(), files.NewPart{Owner: "ben", Name: "c.csv", Bytes: 4}); err != nil {
		t.Errorf("another person: %v", err)
	}
	f = Folder{Root: f.Root, MaxBytes: f.MaxBytes, MaxParts: 2} // as after a restart
	mustAppend(t, f, first.ID, 0, "id\n1")
	mustBegin(t, f, "c.csv", 4)
	parts, err := f.Parts(t.Context(), "ada")
	if err != nil || len(parts) != 2 {
		t.Errorf("%d parts, %v", len(parts), err)
	}
}

// checkedText says of its bytes what err says.
type checkedText struct {
	io.Reader
	err error
}

func (c checkedText) Check() error { return c.err }

func TestCheckedBytesCountWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	p := mustBegin(t, f, "a.csv", 6)
	wrong := errors.New("another sum")
	if n, err := f.Append(t.Context(), p.ID, 0, checkedText{strings.NewReader("id\n1\nmore than it has"), wrong}); n != 0 || !errors.Is(err, wrong) {
		t.Errorf("changed on the way: %d, %v", n, err)
	}
	cut := io.MultiReader(strings.NewReader("id"), brokenReader{})
	if n, err := f.Append(t.Context(), p.ID, 0, checkedText{cut, nil}); n != 0 || err == nil {
		t.Errorf("cut: %d, %v", n, err)
	}
	if n, err := f.Append(t.Context(), p.ID, 0, checkedText{strings.NewReader(""), nil}); n != 0 || err != nil {
		t.Errorf("nothing: %d, %v", n, err)
	}
	if got := arrived(t, f, p.ID); got != 0 {
		t.Errorf("%d bytes count", got)
	}
	for offset, text := range []string{0: "id\n", 3: "1\n\n"} {
		if text == "" {
			continue
		}
		if n, err := f.Append(t.Context(), p.ID, int64(offset), checkedText{strings.NewReader(text), nil}); n != 3 || err != nil {
			t.Errorf("right: %d, %v", n, err)
		}
	}
	if _, err := f.Staged(t.Context(), p.ID); err != nil {
		t.Error(err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
