// The script of every page: htmx with its stream extension, and Agnes's own small behaviours, each
// bound by data- attributes. Every page works without it.
import htmx from "htmx.org";
import "htmx.org/dist/ext/hx-sse.js";
import "./busy.js";
import "./copy.js";
import "./dialogs.js";
import "./drafts.js";
import "./filter.js";
import "./keys.js";
import "./live.js";
import "./palette.js";
import "./times.js";
import "./toasts.js";

// Settling copies style attributes between old and new elements, which the policy refuses.
htmx.config.defaultSettleDelay = 0;
// Back and forward load the page anew. In place htmx would exchange the body under the scripts: the
// editor, the matrix and the palette would act on elements that are gone.
htmx.config.history = "reload";
