// Sends a small file as the plain form does.
import { size } from "./upload_progress.js";

export function sendWhole(form, progress) {
  const request = new XMLHttpRequest();
  progress.begin({ cancel: () => request.abort() });

  request.upload.onprogress = (event) => {
    if (!event.lengthComputable) return;
    const share = event.loaded / event.total;
    progress.at(share, share < 1 ? `${Math.round(share * 100)} % of ${size(event.total)}` : "Looking at it");
  };
  request.onload = () => {
    const next = request.getResponseHeader("HX-Redirect");
    if (next && request.status < 400) location.assign(next);
    else if (request.status < 400 && request.responseURL && new URL(request.responseURL).pathname !== new URL(form.action).pathname) location.assign(request.responseURL);
    else progress.end(refusal(request));
  };
  request.onerror = () => progress.end("The upload broke off before the file had arrived. Check the connection, then drop it again.");
  request.onabort = () => progress.end("");
  const body = new FormData(form);
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "text/html");
  request.setRequestHeader("HX-Request", "true");
  request.setRequestHeader("HX-Request-Type", "full");
  request.send(body);
}

// refusal takes the sentence from the page that the server answered with.
function refusal(request) {
  if (request.status === 413) return "The file is larger than this server takes. Place it in the server's files folder instead.";
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  const sentence = page.querySelector("main [role=alert] p:not(.text-xs)")?.textContent.trim();
  return sentence || `The server refused the file (${request.status}). Try again, or ask whoever runs Agnes.`;
}
