// Times are drawn in UTC; the tooltip adds the viewer's own clock.
const local = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "long" });

function explain(event) {
  const time = event.target.closest?.("time[datetime]");
  if (!time || time.title.includes("\n")) return;
  const at = new Date(time.dateTime);
  if (!Number.isNaN(at.getTime())) time.title = `${local.format(at)}\n${time.title}`;
}

document.addEventListener("mouseover", explain);
document.addEventListener("focusin", explain);
