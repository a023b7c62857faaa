package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"agnes/domain"
	"agnes/domain/audit"
	"agnes/domain/people"
	"agnes/domain/registry"
)

// Folder keeps people's files: staged uploads, and DATA_DIR/files.
type Folder interface {
	Stage(ctx context.Context, owner people.UserID, name string, r io.Reader) (Upload, error)
	Staged(ctx context.Context, id UploadID) (Upload, error)
	// Part is an upload in pieces, complete or not; NotFound.
	Part(ctx context.Context, id UploadID) (Part, error)
	Discard(ctx context.Context, id UploadID) error
	// Commit makes a staged upload the table's file, under a name that was free. It
	// stays staged until it is discarded.
	Commit(ctx context.Context, id UploadID, table registry.TableID) (item string, err error)
	// Add writes a file under a name of our own, such as sample data.
	Add(ctx context.Context, item string, r io.Reader) error
	// Remove deletes a table's file.
	Remove(ctx context.Context, item string) error
	// RemoveUploaded deletes a file that Commit put there, unless it was written
	// since. Every other stays.
	RemoveUploaded(ctx context.Context, item string) error
	List(ctx context.Context) ([]File, error)
	// Key is the place of a file of that name under the data directory; NotFound.
	Key(ctx context.Context, item string) (string, error)
}

// Previewer reads the first rows of a file, in a child.
type Previewer interface {
	PreviewFile(ctx context.Context, key string, o Options) (Preview, error)
}

// Tables is what the importer needs of the registry.
type Tables interface {
	GetTable(ctx context.Context, id registry.TableID) (registry.Published, error)
	ListTables(ctx context.Context) ([]registry.Published, error)
	RegisterTables(ctx context.Context, by audit.Actor, tables []registry.Registration) ([]registry.Table, error)
	UpdateTable(ctx context.Context, by audit.Actor, id registry.TableID, c registry.TableChange) (registry.Published, error)
	Unregister(ctx context.Context, by audit.Actor, ids []registry.TableID, seen ...int64) ([]registry.Removed, error)
}

// Syncer starts the sync of tables.
type Syncer interface {
	SyncUploads(ctx context.Context, by audit.Actor, tables []registry.TableID) error
}

// Importer turns files into tables.
type Importer struct {
	Folder    Folder
	Previewer Previewer
	Tables    Tables
	Syncer    Syncer
	Rebuilder interface{ Request(ctx context.Context) } // after tables are removed
	Samples   []Sample
	Everyone  func(ctx context.Context) (people.GroupID, error) // the group that sample tables are granted to
}

// owned returns a staged upload of a person's; somebody else's does not exist.
func (m *Importer) owned(ctx context.Context, by audit.Actor, id UploadID) (Upload, error) {
	u, err := m.Folder.Staged(ctx, id)
	if domain.KindOf(err) == domain.NotFound {
		part, partial := m.Folder.Part(ctx, id)
		if partial == nil && part.Owner == people.UserID(by.UserID) && !part.Complete() {
			return Upload{}, domain.E(domain.Conflict, "upload_incomplete", "%d %% of %s have arrived. Send the rest of it first.", part.Percent(), part.Name)
		}
	}
	if err == nil && u.Owner != "" && u.Owner != people.UserID(by.UserID) {
		err = domain.E(domain.NotFound, "upload_not_found", "This upload is not there any more. Upload the file again.")
	}
	if err != nil {
		return Upload{}, fmt.Errorf("upload %s: %w", id, err)
	}
	return u, nil
}

// Discard throws a person's upload away, also one that is not complete;
// NotFound when it is gone already.
func (m *Importer) Discard(ctx context.Context, by audit.Actor, id UploadID) error {
	part, err := m.Folder.Part(ctx, id)
	switch {
	case domain.KindOf(err) == domain.NotFound: // it came whole
		if _, err := m.owned(ctx, by, id); err != nil {
			return err
		}
	case err != nil:
		return fmt.Errorf("upload %s: %w", id, err)
	case part.Owner != people.UserID(by.UserID):
		return domain.E(domain.NotFound, "upload_not_found", "This upload is not there any more.")
	}
	return m.Folder.Discard(ctx, id)
}

// Preview shows what DuckDB makes of a person's staged upload with these
// corrections. Like Create and Replace, it fails with NotFound for somebody
// else's.
func (m *Importer) Preview(ctx context.Context, by audit.Actor, id UploadID, o Options) (Upload, Preview, error) {
	u, err := m.owned(ctx, by, id)
	if err != nil {
		return Upload{}, Preview{}, err
	}
	p, err := m.Previewer.PreviewFile(ctx, u.Key, o)
	return u, p, err
}

// PreviewItem shows what DuckDB makes of a file, folder or pattern in
// DATA_DIR/files with these corrections.
func (m *Importer) PreviewItem(ctx context.Context, item string, o Options) (Preview, error) {
	key, err := m.Folder.Key(ctx, item)
	if err != nil {
		return Preview{}, fmt.Errorf("file: %w", err)
	}
	return m.Previewer.PreviewFile(ctx, key, o)
}

// NewTable names what a file becomes.
type NewTable struct {
	Name        string
	Description string
	Options     Options // how its file is read, now and at each sync
}

// Create makes a table of a staged upload and syncs it.
func (m *Importer) Create(ctx context.Context, by audit.Actor, id UploadID, n NewTable) (registry.Table, error) {
	t, err := m.check(ctx, n)
	if err != nil {
		return registry.Table{}, err
	}
	if _, err := m.owned(ctx, by, id); err != nil {
		return registry.Table{}, err
	}
	item, err := m.Folder.Commit(ctx, id, t.ID)
	if err != nil {
		return registry.Table{}, fmt.Errorf("keep upload %s: %w", id, err)
	}
	made, err := m.register(ctx, by, t, item)
	if err != nil {
		return registry.Table{}, m.takeBack(ctx, item, err)
	}
	m.settle(ctx, id)
	return made, m.sync(ctx, by, t.ID)
}

// takeBack removes a file that no table got, after err. Its upload is still staged,
// so that it can be tried again.
func (m *Importer) takeBack(ctx context.Context, item string, err error) error {
	return errors.Join(err, m.Folder.RemoveUploaded(context.WithoutCancel(ctx), item))
}

// settle throws away what is left of an upload that is a table's now. What cannot
// be removed is litter, which is swept.
func (m *Importer) settle(ctx context.Context, id UploadID) {
	_ = m.Folder.Discard(context.WithoutCancel(ctx), id)
}

// CreateFromItem makes a table of a file in DATA_DIR/files and syncs it.
func (m *Importer) CreateFromItem(ctx context.Context, by audit.Actor, item string, n NewTable) (registry.Table, error) {
	t, err := m.check(ctx, n)
	if err != nil {
		return registry.Table{}, err
	}
	if _, err := m.Folder.Key(ctx, item); err != nil {
		return registry.Table{}, fmt.Errorf("file: %w", err)
	}
	made, err := m.register(ctx, by, t, item)
	if err != nil {
		return registry.Table{}, err
	}
	return made, m.sync(ctx, by, t.ID)
}

// check makes sure that the name is good and free before a file is moved.
func (m *Importer) check(ctx context.Context, n NewTable) (registry.Table, error) {
	name, err := registry.CheckName(n.Name)
	if err != nil {
		return registry.Table{}, err
	}
	t := registry.Table{
		ID: registry.IDFor(name), Name: name, SourceType: registry.SourceLocal, Bucket: "files",
		SyncStrategy: "full_refresh", QueryMode: registry.ModeLocal, ProfileAfterSync: true,
		Description: strings.TrimSpace(n.Description), ReadOptions: n.Options.String(),
	}
	_, err = m.Tables.GetTable(ctx, t.ID)
	switch {
	case err == nil:
		return registry.Table{}, &domain.Error{
			Kind: domain.Conflict, Code: "table_exists", Message: "A table named " + name + " exists already.",
			Fields: map[string]string{"name": "A table named " + name + " exists already. Choose another name, or open that table and upload new data to it."},
		}
	case domain.KindOf(err) != domain.NotFound:
		return registry.Table{}, fmt.Errorf("look for table %s: %w", t.ID, err)
	}
	return t, nil
}

func (m *Importer) register(ctx context.Context, by audit.Actor, t registry.Table, item string) (registry.Table, error) {
	t.SourceTable = item
	made, err := m.Tables.RegisterTables(ctx, by, []registry.Registration{{Table: t}})
	if err != nil {
		return registry.Table{}, fmt.Errorf("register %s: %w", t.ID, err)
	}
	return made[0], nil
}

func (m *Importer) sync(ctx context.Context, by audit.Actor, id registry.TableID) error {
	if err := m.Syncer.SyncUploads(ctx, by, []registry.TableID{id}); err != nil {
		return fmt.Errorf("sync %s: %w", id, err)
	}
	return nil
}

// Replace gives a table of the files connector the rows of a staged upload.
// The old rows are served until the new ones were read back, and the corrections
// become the table's. The file before is removed if it came as an upload and no
// other table reads it; an administrator's own file stays, whatever its name. It fails with Stale, before anything
// is moved, when the registration changed since the revision seen; 0: whatever it is.
func (m *Importer) Replace(ctx context.Context, by audit.Actor, id UploadID, table registry.TableID, o Options, seen int64) error {
	t, err := m.Tables.GetTable(ctx, table)
	if err != nil {
		return fmt.Errorf("table %s: %w", table, err)
	}
	if t.Source() != "files" {
		return domain.E(domain.Conflict, "not_a_file_table", "The rows of %s come from %s, not from an upload.", t.Name, t.Source())
	}
	u, err := m.owned(ctx, by, id)
	if err != nil {
		return err
	}
	options := o.String()
	if seen != 0 && seen != t.Revision { // then this cannot succeed, and says what differs
		if _, err := m.Tables.UpdateTable(ctx, by, table, registry.TableChange{SourceTable: &u.Name, ReadOptions: &options, Seen: seen}); err != nil {
			return fmt.Errorf("replace the rows of %s: %w", table, err)
		}
	}
	item, err := m.Folder.Commit(ctx, id, table)
	if err != nil {
		return fmt.Errorf("keep upload %s: %w", id, err)
	}
	if _, err := m.Tables.UpdateTable(ctx, by, table, registry.TableChange{SourceTable: &item, ReadOptions: &options}); err != nil {
		return fmt.Errorf("point %s at its new file: %w", table, m.takeBack(ctx, item, err))
	}
	m.settle(ctx, id)
	if err := m.sync(ctx, by, table); err != nil {
		return err
	}
	if err := m.dropUpload(ctx, t.Table); err != nil {
		return domain.E(domain.Unavailable, "file_before_kept",
			"The new file is in place and is being read. The file before, %s, could not be removed: remove it from the folder files by hand.", t.SourceTable).Because(err)
	}
	return nil
}

// dropUpload removes the file that t was read from, if it came as an upload and
// no other table reads it.
func (m *Importer) dropUpload(ctx context.Context, t registry.Table) error {
	all, err := m.Tables.ListTables(ctx)
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	for _, other := range all {
		if other.ID != t.ID && other.Source() == "files" && other.SourceTable == t.SourceTable {
			return nil
		}
	}
	if err := m.Folder.RemoveUploaded(ctx, t.SourceTable); err != nil {
		return fmt.Errorf("remove the file before: %w", err)
	}
	return nil
}

// Remove unregisters tables, their grants and versions. The files of the
// sample tables go too; files that people brought stay in DATA_DIR/files. It
// returns what was removed, with the ids that bring it back. seen are the
// revisions that whoever asks saw, in the order of ids; none: whatever they are.
func (m *Importer) Remove(ctx context.Context, by audit.Actor, ids []registry.TableID, seen ...int64) ([]registry.Removed, error) {
	removed, err := m.Tables.Unregister(ctx, by, ids, seen...)
	if err != nil {
		return nil, fmt.Errorf("unregister: %w", err)
	}
	m.Rebuilder.Request(ctx)
	for _, t := range removed {
		if !t.Sample {
			continue
		}
		if err := m.Folder.Remove(ctx, t.SourceTable); err != nil {
			return removed, fmt.Errorf("remove the file of %s: %w", t.ID, err)
		}
	}
	return removed, nil
}
