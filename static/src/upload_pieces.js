// Sends a large file in pieces, by the protocol tus. The server knows what has arrived, and by its mark
// which file it was: nothing is kept in the browser, so another one can go on as well.
import { Upload } from "tus-js-client";
import { complain, size } from "./upload_progress.js";

const endpoint = "/api/uploads";
const pieceSize = 32 * 1024 * 1024; // small enough for proxies that hold a request until it is whole
const retryDelays = [0, 1000, 3000, 5000, 10000, 20000, 30000];
const rateWindow = 5000; // milliseconds over which the rate is measured

// inPieces is the size from which a file goes in pieces.
export const inPieces = 8 * 1024 * 1024;

// markOf knows a file again, unless it was changed.
export const markOf = (file) => `${file.name}|${file.size}|${file.lastModified}`;

export async function sendInPieces(form, file, progress) {
  const rate = rateOf();
  let stopped = false; // by a failure that was not overcome
  const upload = new Upload(file, {
    endpoint,
    chunkSize: pieceSize,
    retryDelays,
    storeFingerprintForResuming: false,
    metadata: { filename: file.name, mark: markOf(file) },
    onProgress(sent, total) {
      rate.add(sent);
      progress.at(sent / total, figures(sent, total, rate.perSecond()));
    },
    onShouldRetry(error) {
      const status = statusOf(error);
      if (status >= 400 && status < 500 && status !== 409 && status !== 423) return false;
      rate.reset();
      progress.note(sentenceOf(error) ?? "The connection broke; trying again");
      return true;
    },
    onError(error) {
      stopped = true;
      rate.reset();
      progress.stopped("Stopped", sentenceOf(error) ?? "The connection broke, and trying again did not help. What has arrived is kept for a day: continue when the connection is back.");
    },
    onSuccess() {
      progress.at(1, "Looking at it");
      location.assign(pageOf(form, upload.url));
    },
  });
  const go = () => {
    stopped = false;
    complain(form, "");
    progress.running(true);
    upload.start();
  };
  progress.begin({
    async pause() {
      await upload.abort();
      rate.reset();
      progress.stopped(`Paused at ${form.querySelector("progress").value.toFixed(0)} %`, "");
    },
    resume: go,
    async cancel() {
      window.removeEventListener("online", back);
      progress.note("Cancelling");
      try {
        await upload.abort(upload.url !== null);
      } catch {
        // What cannot be thrown away now is swept within a day.
      }
      document.querySelector(`[data-upload-unfinished="${CSS.escape(markOf(file))}"]`)?.remove();
      progress.end("");
    },
  });
  const back = () => stopped && go();
  window.addEventListener("online", back);

  const before = await unfinished(markOf(file));
  if (before) {
    upload.url = before.url;
    progress.note(`Continuing at ${Math.floor((before.arrived / before.bytes) * 100)} %`);
  }
  upload.start();
}

// unfinished asks the server for an upload of the same file that stopped half way.
async function unfinished(mark) {
  try {
    const answer = await fetch(endpoint, { headers: { Accept: "application/json" } });
    if (!answer.ok) return undefined;
    const { uploads } = await answer.json();
    return uploads.find((upload) => upload.mark === mark);
  } catch {
    return undefined; // then it begins anew
  }
}

// pageOf is where the file is looked at before it becomes a table.
function pageOf(form, url) {
  const page = new URL(`/uploads/${new URL(url, location.href).pathname.split("/").pop()}`, location.href);
  const table = new FormData(form).get("table");
  if (table) page.searchParams.set("table", table);
  return page;
}

const statusOf = (error) => error.originalResponse?.getStatus() ?? 0;

// sentenceOf is what the server said, if it said anything.
function sentenceOf(error) {
  try {
    const { detail } = JSON.parse(error.originalResponse.getBody());
    return typeof detail === "string" ? detail : detail[0].msg;
  } catch {
    return undefined;
  }
}

function figures(sent, total, perSecond) {
  const parts = [`${size(sent)} of ${size(total)}`, `${Math.floor((sent / total) * 100)} %`];
  if (perSecond > 0) parts.push(`${size(perSecond)}/s`, left((total - sent) / perSecond));
  return parts.join(" · ");
}

function left(seconds) {
  if (seconds < 60) return `${Math.ceil(seconds)} s left`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min left` : `${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}

// rateOf measures bytes a second over the last moments.
function rateOf() {
  let seen = [];
  return {
    add(bytes) {
      const now = performance.now();
      seen = [...seen.filter((s) => now - s.at < rateWindow), { at: now, bytes }];
    },
    perSecond() {
      const time = seen.at(-1).at - seen[0].at;
      return time < 500 ? 0 : ((seen.at(-1).bytes - seen[0].bytes) / time) * 1000;
    },
    reset: () => (seen = []),
  };
}
