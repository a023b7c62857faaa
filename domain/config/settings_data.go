package config

import (
	"strconv"
	"time"

	"agnes/domain/people"
)

func peopleSpecs() []spec {
	return []spec{
		{
			Setting: Setting{Key: "instance.name", Live: true, Env: []string{"AGNES_INSTANCE_NAME"}, About: "Name of this installation on its pages, such as the company's."},
			value:   "AI Data Analyst", form: "a name of at most 200 characters",
			read: into(func(c *Config) *string { return &c.Instance.Name }, label),
		},
		{
			Setting: Setting{Key: "instance.brand", Later: true, Env: []string{"AGNES_INSTANCE_BRAND"}, About: "Name of the product. Kept for later; pages say Agnes."},
			value:   "Agnes", form: "a name of at most 200 characters",
			read: into(func(c *Config) *string { return &c.Instance.Brand }, label),
		},
		{
			Setting: Setting{Key: "instance.subtitle", Later: true, Env: []string{"AGNES_INSTANCE_SUBTITLE"}, Default: "none", About: "Line below the name. Kept for later; no page shows it."},
			form:    "a line of at most 200 characters",
			read:    into(func(c *Config) *string { return &c.Instance.Subtitle }, label),
		},
		{
			Setting: Setting{Key: "auth.allowed_domain", Default: "people with an account", About: "Domains of e-mail addresses whose people may sign in by mail or through another service, also for the first time."},
			form:    "domains with commas between, such as example.com",
			read:    into(func(c *Config) *[]string { return &c.Auth.AllowedDomains }, domains),
		},
		{
			Setting: Setting{Env: []string{"JWT_SECRET_KEY"}, Secret: true, Default: "made at first start, kept in `STATE_DIR`", About: "Key that signs access tokens."},
			form:    "at least 32 characters that nobody can guess",
			read:    into(func(c *Config) *Secret { return &c.Auth.JWTSecretKey }, secret(1)),
		},
		{
			Setting: Setting{Env: []string{"SCHEDULER_API_TOKEN"}, Secret: true, Default: "none", About: "Token of an outside scheduler, which acts as an administrator."},
			form:    "at least 32 characters, such as 64 hexadecimal digits from a random generator",
			read:    into(func(c *Config) *Secret { return &c.Auth.SchedulerToken }, secret(32)),
		},
		{
			Setting: Setting{Env: []string{"SEED_ADMIN_EMAIL"}, Default: "none", About: "Person who is made an administrator at start."},
			form:    "an e-mail address, such as name@example.com",
			read:    into(func(c *Config) *string { return &c.Auth.SeedEmail }, people.NormalEmail),
		},
		{
			Setting: Setting{Env: []string{"SEED_ADMIN_PASSWORD"}, Secret: true, Default: "none", About: "Password of that person."},
			form:    "at least 8 characters",
			read:    into(func(c *Config) *Secret { return &c.Auth.SeedPassword }, secret(1)),
		},
	}
}

func dataSpecs() []spec {
	return []spec{
		{
			Setting: Setting{Key: "files.max_upload_bytes", Env: []string{"AGNES_MAX_UPLOAD_BYTES"}, About: "Largest file that can be uploaded."},
			value:   "2GiB", form: "a size, such as 500MB, 2GiB or a number of bytes",
			read: sized(func(c *Config) *int64 { return &c.Files.MaxUploadBytes }),
		},
		{
			Setting: Setting{Key: "files.versions_kept", Env: []string{"AGNES_VERSIONS_KEPT"}, About: "Versions of a table that are kept, the current one included."},
			value:   "5", form: "a whole number from 1 to 1000",
			read: into(func(c *Config) *int { return &c.Files.VersionsKept }, whole(1000)),
		},
		{
			Setting: Setting{Key: "files.versions_days", Env: []string{"AGNES_VERSIONS_DAYS"}, About: "Days after which a version is not kept, whatever their number. The current one and the one before it stay."},
			value:   "90", form: "whole days from 1 to 36500",
			read: into(func(c *Config) *time.Duration { return &c.Files.VersionsAge }, days(36500)),
		},
		{
			Setting: Setting{Key: "files.max_unfinished_uploads", Env: []string{"AGNES_MAX_UNFINISHED_UPLOADS"}, About: "Uploads of one person that may be half way at a time."},
			value:   "10", form: "a whole number from 1 to 1000",
			read: into(func(c *Config) *int { return &c.Files.Unfinished }, whole(1000)),
		},
		{
			Setting: Setting{Key: "files.joined_cache_bytes", Env: []string{"AGNES_JOINED_CACHE_BYTES"}, About: "Disk for single files that were made of tables of several, for downloads. Beyond it the oldest are removed."},
			value:   "4GiB", form: "a size, such as 500MB, 2GiB or a number of bytes",
			read: sized(func(c *Config) *int64 { return &c.Files.JoinedBytes }),
		},
		{
			Setting: Setting{Key: "sync.default_schedule", Env: []string{"AGNES_DEFAULT_SYNC_SCHEDULE"}, About: "Schedule of tables that need one and name none."},
			value:   "every 1h", form: `"every 15m", "every 2h" or "daily 05:00,17:30" (UTC)`,
			read: into(func(c *Config) *string { return &c.Sync.DefaultSchedule }, schedule),
		},
		{
			Setting: Setting{Key: "sync.extractor_timeout_seconds", Env: []string{"AGNES_EXTRACTOR_TIMEOUT_SEC"}, About: "Longest time that reading one table from its source may take."},
			value:   "3600", form: "whole seconds from 1 to 604800",
			read: into(func(c *Config) *time.Duration { return &c.Sync.ExtractorTimeout }, seconds(1, 604800)),
		},
		{
			Setting: Setting{Key: "remote_attach.extensions", Env: []string{"AGNES_REMOTE_ATTACH_EXTENSIONS"}, About: "DuckDB extensions that a custom extract's `_remote_attach` may name; replaces the default. `none` allows none."},
			value:   "keboola,bigquery", form: "names of extensions with commas between, or none",
			read: into(func(c *Config) *[]string { return &c.Remote.Extensions }, extensions),
		},
		{
			Setting: Setting{Key: "remote_attach.token_envs", Env: []string{"AGNES_REMOTE_ATTACH_TOKEN_ENVS"}, About: "Variables of the server whose values `_remote_attach` may use as tokens; replaces the default. `none` allows none."},
			value:   "KBC_TOKEN,KBC_STORAGE_TOKEN,KEBOOLA_STORAGE_TOKEN,GOOGLE_APPLICATION_CREDENTIALS", form: "names of variables with commas between, or none",
			read: into(func(c *Config) *[]string { return &c.Remote.TokenEnvs }, variables),
		},
		{
			Setting: Setting{Key: "data_source.bigquery.query_timeout_ms", About: "Longest time that one query in BigQuery may take. 0: what its extension has."},
			value:   "600000", form: "whole milliseconds from 0 to 86400000",
			read: into(func(c *Config) *time.Duration { return &c.Remote.QueryTimeout }, milliseconds(0, 86_400_000)),
		},
		{
			Setting: Setting{Key: "state.mirror_minutes", Env: []string{"AGNES_STATE_MIRROR_MINUTES"}, About: "Minutes at least between two copies of the state for other tools, `state/system.duckdb`. 0: none is made."},
			value:   "5", form: "whole minutes from 0 to 1440",
			read: into(func(c *Config) *time.Duration { return &c.State.MirrorEvery }, minutes(0, 1440)),
		},
	}
}

func querySpecs(m Machine) []spec {
	children := max(2, min(m.CPUs, 16)+1)
	return []spec{
		{
			Setting: Setting{Key: "query.timeout_seconds", Live: true, Env: []string{"AGNES_QUERY_TIMEOUT_SECONDS"}, About: "Longest time that one query may take."},
			value:   "60", form: "whole seconds from 1 to 86400",
			read: into(func(c *Config) *time.Duration { return &c.Query.Timeout }, seconds(1, 86400)),
		},
		{
			Setting: Setting{Key: "query.memory_mb", Env: []string{"AGNES_QUERY_MEMORY_MB"}, Default: "half of the machine's, shared among the children, at most 4096", About: "MiB that DuckDB may take in one child; beyond it spills to disk."},
			value:   strconv.FormatInt(queryMemory(m, children), 10), form: "whole MiB from 64 to 1048576",
			read: into(func(c *Config) *int64 { return &c.Query.MemoryBytes }, mebibytes(64, 1<<20)),
		},
		{
			Setting: Setting{Key: "query.threads", Env: []string{"AGNES_QUERY_THREADS"}, Default: "the machine's cores, at most 8", About: "Threads that one query may use."},
			value:   strconv.Itoa(max(1, min(m.CPUs, 8))), form: "a whole number from 1 to 256",
			read: into(func(c *Config) *int { return &c.Query.Threads }, whole(256)),
		},
		{
			Setting: Setting{Key: "query.children", Env: []string{"AGNES_QUERY_CHILDREN"}, Default: "the machine's cores and one, 2 to 17", About: "Queries that run at the same time, each in its own process."},
			value:   strconv.Itoa(children), form: "a whole number from 1 to 256",
			read: into(func(c *Config) *int { return &c.Query.Children }, whole(256)),
		},
		{
			Setting: Setting{Key: "query.per_person", Env: []string{"AGNES_QUERY_PER_PERSON"}, Default: "one fewer than `query.children`", About: "Queries of one person that run at the same time; more of them wait."},
			form:    "a whole number from 1 to 256",
			read:    into(func(c *Config) *int { return &c.Query.PerPerson }, whole(256)),
		},
		{
			Setting: Setting{Key: "query.queue", Env: []string{"AGNES_QUERY_QUEUE"}, About: "Queries that may wait, at most half of them of one person; beyond it the answer is 429."},
			value:   "256", form: "a whole number from 1 to 100000",
			read: into(func(c *Config) *int { return &c.Query.Queue }, whole(100_000)),
		},
		{
			Setting: Setting{Key: "query.max_rows", Env: []string{"AGNES_QUERY_MAX_ROWS"}, About: "Rows of a result that the console shows."},
			value:   "10000", form: "a whole number from 1 to 10000000",
			read: into(func(c *Config) *int { return &c.Query.MaxRows }, whole(10_000_000)),
		},
	}
}

// childSpecs bound all child processes together.
func childSpecs(m Machine) []spec {
	memory := "" // unknown, so there is no bound
	if share := m.MemoryBytes / 4 * 3 >> 20; share > 0 {
		memory = strconv.FormatInt(max(share, 128), 10)
	}
	return []spec{
		{
			Setting: Setting{Key: "children.memory_mb", Env: []string{"AGNES_CHILDREN_MEMORY_MB"}, Default: "three quarters of the machine's", About: "MiB that DuckDB may take in all child processes together: queries, syncs, rebuilds, profiles. Beyond it work waits."},
			value:   memory, form: "whole MiB from 128 to 16777216",
			read: into(func(c *Config) *int64 { return &c.Children.MemoryBytes }, mebibytes(128, 1<<24)),
		},
		{
			Setting: Setting{Key: "children.threads", Env: []string{"AGNES_CHILDREN_THREADS"}, Default: "four times the machine's cores", About: "Threads of all child processes together; when few are left, a child gets those."},
			value:   strconv.Itoa(4 * max(1, m.CPUs)), form: "a whole number from 1 to 4096",
			read: into(func(c *Config) *int { return &c.Children.Threads }, whole(4096)),
		},
	}
}

// queryMemory leaves half of the machine to the rest of it: a child may take
// twice what DuckDB is told, because DuckDB does not count single large values.
func queryMemory(m Machine, children int) int64 {
	const mebibyte = 1 << 20
	if m.MemoryBytes <= 0 {
		return 512
	}
	return max(128, min(m.MemoryBytes/2/int64(children)/mebibyte, 4096))
}

func buildSpecs() []spec {
	return []spec{
		{
			Setting: Setting{Env: []string{"AGNES_VERSION"}, Default: "the version it was built from", About: "Version that pages and API name."},
			form:    "a version", read: into(func(c *Config) *string { return &c.Build.Version }, label),
		},
		{
			Setting: Setting{Env: []string{"AGNES_COMMIT_SHA"}, Default: "the commit it was built from", About: "Commit that the API names."},
			form:    "a commit", read: into(func(c *Config) *string { return &c.Build.Commit }, label),
		},
		{
			Setting: Setting{Env: []string{"RELEASE_CHANNEL"}, About: "Release channel that the API names."},
			value:   "dev", form: "a name", read: into(func(c *Config) *string { return &c.Build.Channel }, label),
		},
		{
			Setting: Setting{Env: []string{"AGNES_TAG"}, Default: "none", About: "Container image's tag that the API names."},
			form:    "a tag", read: into(func(c *Config) *string { return &c.Build.ImageTag }, label),
		},
	}
}
