// A mail server for journeys: it takes all mail and keeps it.
import { EventEmitter, once } from "node:events";
import { simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";

const arrivalLimit = 30_000;

// startMail listens on a free port of this machine. env is what makes Agnes use
// it; messages are what arrived, parsed, the oldest first.
export async function startMail(t) {
  const messages = [];
  const news = new EventEmitter();
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    onData(stream, session, done) {
      simpleParser(stream).then((message) => {
        messages.push(message);
        news.emit("mail");
        done();
      }, done);
    },
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  t.after(() => new Promise((resolve) => server.close(resolve)));
  const env = {
    SMTP_HOST: "127.0.0.1", SMTP_PORT: String(server.server.address().port), SMTP_USE_TLS: "none", SMTP_FROM: "agnes@example.com",
  };
  // mailTo waits for the nth mail to an address.
  async function mailTo(address, number = 1) {
    for (;;) {
      const theirs = messages.filter((message) => message.to.value.some((to) => to.address === address));
      if (theirs.length >= number) return theirs[number - 1];
      await once(news, "mail", { signal: AbortSignal.timeout(arrivalLimit) });
    }
  }
  return { env, messages, mailTo };
}

// linkIn is the first address of a web page in a mail's text.
export function linkIn(message) {
  const found = /https?:\/\/\S+/.exec(message.text);
  if (!found) throw new Error(`no link in the mail "${message.subject}"`);
  return found[0];
}
