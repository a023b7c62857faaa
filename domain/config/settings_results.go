package config

import "time"

// resultSpecs are what one person may take, and how long rows are kept.
func resultSpecs() []spec {
	bytes := "a size, such as 500MB, 2GiB or a number of bytes"
	return []spec{
		{
			Setting: Setting{Key: "query.max_concurrent_per_user", Live: true, Env: []string{"AGNES_QUERY_MAX_CONCURRENT_PER_USER"}, About: "Queries of one person that run or wait at the same time; more are refused."},
			value:   "64", form: "a whole number from 1 to 10000",
			read: into(func(c *Config) *int { return &c.Query.PersonConcurrent }, whole(10_000)),
		},
		{
			Setting: Setting{Key: "query.max_daily_bytes_per_user", Live: true, Env: []string{"AGNES_QUERY_MAX_DAILY_BYTES_PER_USER"}, About: "Bytes that one person's queries may return in a day (UTC)."},
			value:   "50GiB", form: bytes,
			read: sized(func(c *Config) *int64 { return &c.Query.PersonDailyBytes }),
		},
		{
			Setting: Setting{Key: "query.result_max_bytes", Live: true, Env: []string{"AGNES_QUERY_RESULT_MAX_BYTES"}, About: "Largest result whose rows are kept; larger ones are only streamed."},
			value:   "1GiB", form: bytes,
			read: sized(func(c *Config) *int64 { return &c.Query.ResultBytes }),
		},
		{
			Setting: Setting{Key: "query.results_max_bytes_per_user", Live: true, Env: []string{"AGNES_QUERY_RESULTS_MAX_BYTES_PER_USER"}, About: "Bytes of one person's kept results; the oldest go first."},
			value:   "5GiB", form: bytes,
			read: sized(func(c *Config) *int64 { return &c.Query.PersonResultBytes }),
		},
		{
			Setting: Setting{Key: "query.results_days", Live: true, Env: []string{"AGNES_QUERY_RESULTS_DAYS"}, About: "Days that rows of a query are kept."},
			value:   "7", form: "whole days from 1 to 3650",
			read: into(func(c *Config) *time.Duration { return &c.Query.ResultAge }, days(3650)),
		},
		{
			Setting: Setting{Key: "query.history_days", Live: true, Env: []string{"AGNES_QUERY_HISTORY_DAYS"}, About: "Days that queries stay on their author's list, with their rows if those are kept so long; the audit log keeps them."},
			value:   "90", form: "whole days from 1 to 36500",
			read: into(func(c *Config) *time.Duration { return &c.Query.HistoryAge }, days(36500)),
		},
	}
}
