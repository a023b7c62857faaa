// The edits of the matrix that wait to be applied: kept while the tab lives, one set for each person.
const key = `agnes:matrix:${document.getElementById("matrix").dataset.matrix}`;
const most = 50; // steps that can be taken back
const steps = [];
let edits = new Map(); // by cell, in the order that they were made

const idOf = (edit) => `${edit.group_id} ${edit.resource_id}`;

// The server marks where an applied change leads.
if (location.hash === "#applied") {
  forget();
  history.replaceState(history.state, "", location.pathname + location.search);
} else {
  edits = new Map(read().map((edit) => [idOf(edit), edit]));
}

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(key)) ?? [];
  } catch {
    return [];
  }
}

function forget() {
  try {
    sessionStorage.removeItem(key);
  } catch {
    // Without storage there is nothing to forget.
  }
}

export const staged = {
  all: () => [...edits.values()],
  put: (edit) => edits.set(idOf(edit), edit),
  drop: (edit) => edits.delete(idOf(edit)),
  // step begins a step that back takes back.
  step() {
    steps.push(new Map(edits));
    if (steps.length > most) steps.shift();
  },
  keep() {
    try {
      sessionStorage.setItem(key, JSON.stringify(this.all()));
    } catch {
      // Without storage the edits last as long as the page.
    }
  },
  // back reports whether there was a step to take back. Steps of before the
  // page was loaded are not known: then it is the edit that was made last.
  back() {
    if (steps.length > 0) edits = steps.pop();
    else if (edits.size > 0) edits.delete([...edits.keys()].at(-1));
    else return false;
    this.keep();
    return true;
  },
  clear() {
    this.step();
    edits.clear();
    this.keep();
  },
};
