// Package profile says what is in a table's columns: how much is missing, how
// many values differ, how they are spread, and what of it deserves a look. A
// child counts (store/warehouse); what the counts mean is decided here. A
// profile is content of rows: nobody gets one but through access.Catalog.
package profile

import (
	"encoding/json"
	"time"

	"agnes/domain/registry"
)

// MaxColumns bounds how many columns of a table are profiled; the others are
// counted in ColumnsLeftOut.
const MaxColumns = 500

// MaxText is the length to which values are cut, in characters.
const MaxText = 200

// Profile is the object of contract 6.1. CountedRows, SampledRows,
// ColumnsLeftOut and Incomplete are additions to it.
type Profile struct {
	TableID         registry.TableID `json:"table_id"`
	Description     string           `json:"description"`
	PrimaryKey      []string         `json:"primary_key"`
	SyncStrategy    string           `json:"sync_strategy"`
	RowCount        int64            `json:"row_count"`
	ColumnCount     int              `json:"column_count"`
	FileSizeMB      float64          `json:"file_size_mb"`
	AvgCompleteness float64          `json:"avg_completeness"`
	MissingCells    int64            `json:"missing_cells"`
	MissingCellsPct float64          `json:"missing_cells_pct"`
	DuplicateRows   int64            `json:"duplicate_rows"`
	VariableTypes   map[Category]int `json:"variable_types"`
	DateRange       *DateRange       `json:"date_range"`
	Alerts          []Alert          `json:"alerts"`
	Sampled         bool             `json:"sampled"`
	LastSync        *time.Time       `json:"last_sync"`
	RelatedTables   []string         `json:"related_tables"`
	UsedByMetrics   []Metric         `json:"used_by_metrics"`
	Columns         []Column         `json:"columns"`
	SampleRows      []SampleRow      `json:"sample_rows"`
	CountedRows     int64            `json:"counted_rows"`     // rows behind counts, minima and maxima
	SampledRows     int64            `json:"sampled_rows"`     // rows behind quantiles, top values, histograms and duplicates
	ColumnsLeftOut  int              `json:"columns_left_out"` // beyond MaxColumns
	Incomplete      bool             `json:"incomplete"`       // the time did not suffice for every chart
}

// SampleRow is one row: a JSON number, boolean, text or null by column.
type SampleRow map[string]json.RawMessage

// Metric is a metric definition that uses a table.
type Metric struct {
	Name string `json:"name"`
	File string `json:"file"`
}

// DateRange is the time that a table covers, by its first column of dates.
type DateRange struct {
	Earliest string `json:"earliest"`
	Latest   string `json:"latest"`
	SpanDays int64  `json:"span_days"`
}

// Column is the profile of one column. At most one of the four stats is set.
type Column struct {
	Name            string        `json:"name"`
	Type            string        `json:"type"`
	Category        Category      `json:"type_category"`
	CompletenessPct float64       `json:"completeness_pct"`
	NullCount       int64         `json:"null_count"`
	UniqueCount     int64         `json:"unique_count"`
	UniquePct       float64       `json:"unique_pct"`
	UniqueExact     bool          `json:"unique_exact"` // false: UniqueCount is an estimate
	SampleValues    []string      `json:"sample_values"`
	IsPrimaryKey    bool          `json:"is_primary_key"`
	Alerts          []AlertType   `json:"alerts"`
	Numeric         *NumericStats `json:"numeric_stats,omitempty"`
	String          *StringStats  `json:"string_stats,omitempty"`
	Date            *DateStats    `json:"date_stats,omitempty"`
	Boolean         *BooleanStats `json:"boolean_stats,omitempty"`
}

// NumericStats describes numbers. NaN and infinities are counted in NonFinite
// and are part of nothing else; where there is nothing else, figures are missing.
type NumericStats struct {
	Min         Number     `json:"min"`
	Max         Number     `json:"max"`
	Mean        *float64   `json:"mean"`
	Median      *float64   `json:"median"`
	Stddev      *float64   `json:"stddev"`
	P5          *float64   `json:"p5"`
	P25         *float64   `json:"p25"`
	P75         *float64   `json:"p75"`
	P95         *float64   `json:"p95"`
	Zeros       int64      `json:"zeros"`
	ZerosPct    float64    `json:"zeros_pct"`
	Negative    int64      `json:"negative"`
	NegativePct float64    `json:"negative_pct"`
	NonFinite   int64      `json:"non_finite,omitempty"` // NaN and Infinite
	NaN         int64      `json:"nan,omitempty"`
	Infinite    int64      `json:"infinite,omitempty"`
	Histogram   *Histogram `json:"histogram"`
}

// Histogram counts values in bins; bin i reaches from Bins[i] to Bins[i+1].
type Histogram struct {
	Bins   []float64 `json:"bins"`
	Counts []int64   `json:"counts"`
}

// StringStats describes texts by their lengths in characters and most frequent values.
type StringStats struct {
	MinLength int64      `json:"min_length"`
	MaxLength int64      `json:"max_length"`
	AvgLength float64    `json:"avg_length"`
	TopValues []TopValue `json:"top_values"`
	Lengths   *Histogram `json:"length_histogram,omitempty"`
}

// TopValue is a frequent value with its share of the rows of the sample that have one.
type TopValue struct {
	Value string  `json:"value"`
	Count int64   `json:"count"`
	Pct   float64 `json:"pct"`
}

// DateStats describes dates and points in time. Infinite ones are counted in
// Infinite and are part of nothing else; where there is nothing else, Earliest
// and Latest are "".
type DateStats struct {
	Earliest  string         `json:"earliest"`
	Latest    string         `json:"latest"`
	SpanDays  int64          `json:"span_days"`
	Infinite  int64          `json:"infinite,omitempty"`
	Histogram *DateHistogram `json:"histogram"`
}

// DateHistogram counts values by period; Bins names the periods: 2026-11-22
// (also for the week that it begins), 2026-11, 2026-Q4, 2026, or the first of several years.
type DateHistogram struct {
	Unit   string   `json:"unit"` // day, week, month, quarter or year
	Bins   []string `json:"bins"`
	Counts []int64  `json:"counts"`
}

// BooleanStats counts yes and no.
type BooleanStats struct {
	TrueCount  int64   `json:"true_count"`
	FalseCount int64   `json:"false_count"`
	TruePct    float64 `json:"true_pct"`
	FalsePct   float64 `json:"false_pct"`
}

// Kept is a table's profile as it is stored, with the version that it is of.
type Kept struct {
	Table      registry.TableID
	Version    registry.VersionID
	VersionAt  time.Time
	ProfiledAt time.Time
	Profile    Profile
}

// Describe adds what the registry says, which may have changed since the rows
// were counted.
func (p Profile) Describe(t registry.Published) Profile {
	p.TableID, p.Description, p.SyncStrategy = t.ID, t.Description, t.SyncStrategy
	p.LastSync = t.Status.LastSync
	p.PrimaryKey = append([]string{}, t.PrimaryKey...)
	p.RelatedTables, p.UsedByMetrics = []string{}, []Metric{}
	columns := make([]Column, len(p.Columns))
	for i, c := range p.Columns {
		c.IsPrimaryKey = false
		for _, k := range t.PrimaryKey {
			c.IsPrimaryKey = c.IsPrimaryKey || sameName(k, c.Name)
		}
		columns[i] = c
	}
	p.Columns = columns
	return p
}
