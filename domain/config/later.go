package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// laterSettings describe what contract 4.8 and section 16.2 name and nothing in
// Agnes reads yet. They are kept, so that the part that will read them finds
// them; a part that does takes its lines from here into its own table.
func laterSettings() []Setting {
	var all []Setting
	for line := range strings.Lines(laterTable) {
		key, rest, _ := strings.Cut(strings.TrimSpace(line), "|")
		kind, rest, _ := strings.Cut(rest, "|")
		value, about, _ := strings.Cut(rest, "|")
		kind, options, _ := strings.Cut(kind, ":")
		s := Setting{Key: key, Kind: Kind(kind), Default: value, About: about, Later: true, Secret: Kind(kind) == Hidden}
		if options != "" {
			s.Options = strings.Split(options, ",")
		}
		all = append(all, s)
	}
	return all
}

// laterTable has one field a line: key, kind with its options, default, what it is.
const laterTable = `instance.workspace_dir|string||Folder of an analyst's workspace.
instance.logo_svg|string||Logo, as SVG.
instance.overview|string||What the company does, for agents.
instance.sync_interval|string|1 hour|How often data is new, as text.
instance.admin_email|string||Whom people write to.
instance.home_route|string|/dashboard|First page after sign-in.
instance.home.show_automode|bool|true|Whether the first page explains automatic mode.
instance.home.show_status_frame|bool|true|Whether the first page shows the state of syncs.
instance.atlassian.base_url|string||Address of the company's Atlassian site.
instance.gws.client_id|string||Client of Google Workspace for analysts.
instance.gws.client_secret|secret||Its secret.
instance.gws.project_id|string||Its project.
instance.gws.oauthlib_insecure_transport|bool|true|Whether its sign-in may come back without HTTPS.
auth.webapp_secret_key|secret||Key of sessions of release 0.54. JWT_SECRET_KEY is what signs here.
auth.google_client_id|string||Of release 0.54. auth.google.client_id is what counts here.
auth.google_client_secret|secret||Of release 0.54. auth.google.client_secret is what counts here.
server.host|string||Of release 0.54. server.addr is what counts here.
server.hostname|string||Of release 0.54. server.url and server.domain count here.
server.app_dir|string||Folder of release 0.54.
data_source.type|select:local,keboola,bigquery|local|Where tables come from when their registration does not say.
data_source.keboola.stack_url|string||Address of the Keboola stack.
data_source.keboola.token_env|string|KEBOOLA_STORAGE_TOKEN|Variable with the storage token.
data_source.keboola.project_id|string||Project of that token.
data_source.bigquery.project|string||Project that names without one are looked up in.
data_source.bigquery.billing_project|string||Project that pays.
data_source.bigquery.location|string||Where its datasets lie.
data_source.bigquery.max_bytes_per_materialize|int|10737418240|Bytes that making one table may read.
data_source.bigquery.bq_max_scan_bytes|int|5368709120|Bytes that one query may read.
data_source.bigquery.session_pool_size|int|4|Connections kept open.
materialize.lock_ttl_seconds|int|86400|Seconds after which a lock of a table that is being made counts as forgotten, from 60 to 604800.
ai.provider|select:anthropic,openai_compat|anthropic|Whose model is used.
ai.api_key|secret||Its key.
ai.model|string|claude-haiku-4-5-20251001|Name of the model.
ai.base_url|string||Address of an OpenAI-compatible service.
ai.structured_output|select:strict,json,auto|auto|How answers are kept to a form.
ai.verify_ssl|bool|true|Whether its certificate is checked.
openmetadata.url|string||Address of OpenMetadata.
openmetadata.token|secret||Its token.
openmetadata.cache_ttl_seconds|int|3600|Seconds that its answers are kept.
openmetadata.verify_ssl|bool|true|Whether its certificate is checked.
openmetadata.filter_tag|string||Only what has this tag.
openmetadata.data_product|string||Only what belongs to this product.
corporate_memory.distribution_mode|string|hybrid|Who gets which items.
corporate_memory.approval_mode|string|review_queue|What happens to a new item.
corporate_memory.review_period_months|int|6|Months after which an item is reviewed again.
corporate_memory.notify_on_new_items|bool|true|Whether administrators hear of new items.
corporate_memory.sources|map||What items are learned from.
corporate_memory.extraction|map||How they are extracted.
corporate_memory.confidence|map||How sure Agnes is of each kind.
corporate_memory.contradiction_detection.enabled|bool|true|Whether contradictions are looked for.
corporate_memory.contradiction_detection.max_candidates|int|10|How many items a new one is compared with.
corporate_memory.entity_resolution|map||How names of the same thing are joined.
corporate_memory.domain_owners|map||Who decides in which domain.
corporate_memory.domains|array||Names of the domains.
guardrails.enabled|bool|true|Whether they are checked.
guardrails.review_model|string|haiku|Which model reviews.
guardrails.min_description_chars|int|60|Least length of a description.
guardrails.min_command_description_chars|int|25|Least length of a command's description.
guardrails.min_distinct_words|int|5|Least number of different words.
guardrails.min_body_chars|int|200|Least length of a body.
guardrails.blocked_quota_per_day|int|50|Refusals of one person in a day.
guardrails.blocked_bundle_ttl_days|int|30|Days that refused bundles are kept.
guardrails.stuck_review_grace_seconds|int|1800|Seconds after which a review counts as stuck.`

// bounds are the numbers of fields for later that contract 4.8 bounds.
func bounds() map[string][2]int64 {
	return map[string][2]int64{"materialize.lock_ttl_seconds": {60, 604800}}
}

// CheckLater reports what is wrong with the text of a field that nothing reads
// yet, as the rest of a sentence that starts with the value.
func CheckLater(s Setting, text string) error {
	switch s.Kind {
	case Int:
		least, most := int64(-1<<62), int64(1<<62)
		if b, bounded := bounds()[s.Key]; bounded {
			least, most = b[0], b[1]
		}
		_, err := integer(text, least, most)
		return err
	case Float:
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			return errors.New("is not a number")
		}
	case Bool:
		_, err := yesNo(text)
		return err
	case Select:
		if !slices.Contains(s.Options, text) {
			return fmt.Errorf("is none of %s", strings.Join(s.Options, ", "))
		}
	case String, Hidden, Array, Map, Object:
	}
	return nil
}
