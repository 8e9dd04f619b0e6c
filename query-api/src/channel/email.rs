//! E-mail: a text and an HTML part. Everything that belongs to one issue by one rule is one conversation.

use std::fmt::Write;
use std::time::{Duration, UNIX_EPOCH};

use futures::FutureExt;
use futures::future::BoxFuture;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use tokio::time::Instant;

use super::mailer::{self, Mailer, Unsent};
use super::text::{self, html};
use super::{Message, Priority, Receipt, SendError, Sender, Transition};

const MAX_SUBJECT: usize = 200;
/// A try for all recipients, together and then one after the other. Shorter than the deliverer waits for a channel.
const WITHIN: Duration = Duration::from_secs(20);

pub(crate) async fn send(
    sender: &Sender<'_>,
    recipients: &[String],
    message: &Message,
) -> Result<Receipt, SendError> {
    let Some(mailer) = sender.mailer else {
        return Err(mailer::for_now("this installation has no mail server (query_api.smtp)".to_owned()));
    };
    let all: Vec<Mailbox> = recipients.iter().filter_map(|recipient| recipient.parse().ok()).collect();
    let to: Vec<Mailbox> =
        all.iter().filter(|recipient| !message.taken.contains(&mark(message, recipient))).cloned().collect();
    if to.is_empty() && !all.is_empty() {
        return Ok(Receipt {
            sentence: "nobody is left to send it to: see the tries before".to_owned(),
            status: None,
        });
    }
    let until = Instant::now() + WITHIN;
    let together = compose(mailer, &to, message, sender.now_ms)?;
    match mailer.send(together).await {
        Err(Unsent { may_be_of_one: true, .. }) if to.len() > 1 => {
            let (to, now_ms) = (in_turn(to, sender.now_ms), sender.now_ms);
            let copies: Vec<OwnCopy<'_>> = to
                .iter()
                .map(|recipient| (recipient, alone(mailer, recipient, message, now_ms).boxed()))
                .collect();
            let tried = each(copies, until).await;
            told(message, &tried)
        }
        Err(Unsent { error, .. }) => Err(error),
        Ok(receipt) if to.len() < all.len() => Ok(Receipt {
            sentence: format!(
                "{} (for {} of {} recipients; the others: see the tries before)",
                receipt.sentence,
                to.len(),
                all.len()
            ),
            ..receipt
        }),
        Ok(receipt) => Ok(receipt),
    }
}

/// A recipient of a message, as it is noted: not by the address, which is kept sealed.
fn mark(message: &Message, recipient: &Mailbox) -> String {
    hash(&[&message.id, "\n", recipient.email.as_ref()].concat())
}

/// A recipient's own copy: sent when it is awaited.
type OwnCopy<'a> = (&'a Mailbox, BoxFuture<'a, Result<(), SendError>>);

/// What came of it; `None`: not reached in time, and nobody knows of the one under way.
type Tried<'a> = (&'a Mailbox, Option<Result<(), SendError>>);

/// A mail box that does not exist, or is not ready, keeps the message from nobody else. It ends by itself: whoever cuts it off does not
/// learn who was served.
async fn each(copies: Vec<OwnCopy<'_>>, until: Instant) -> Vec<Tried<'_>> {
    let mut tried = Vec::with_capacity(copies.len());
    for (recipient, sending) in copies {
        let came =
            if Instant::now() < until { tokio::time::timeout_at(until, sending).await.ok() } else { None };
        tried.push((recipient, came));
    }
    tried
}

async fn alone(
    mailer: &Mailer,
    recipient: &Mailbox,
    message: &Message,
    now_ms: i64,
) -> Result<(), SendError> {
    let alone = compose(mailer, std::slice::from_ref(recipient), message, now_ms)?;
    mailer.send(alone).await.map(drop).map_err(|unsent| unsent.error)
}

/// Each try begins with another recipient, so that those who are slow do not keep it from the same ones every time.
fn in_turn(mut to: Vec<Mailbox>, now_ms: i64) -> Vec<Mailbox> {
    let minute = usize::try_from(now_ms / 60_000).unwrap_or_default();
    let first = minute.checked_rem(to.len()).unwrap_or_default();
    to.rotate_left(first);
    to
}

/// It is tried again for those who may still get it. Whoever reads the log need not know the recipients: it has counts.
fn told(message: &Message, tried: &[Tried<'_>]) -> Result<Receipt, SendError> {
    let taken = tried.iter().filter(|(_, came)| matches!(came, Some(Ok(())))).count();
    let unreached = tried.iter().filter(|(_, came)| came.is_none()).count();
    let mut retryable = unreached > 0;
    let mut why = Vec::new();
    if unreached > 0 {
        why.push(format!("{unreached} not reached within {} s", WITHIN.as_secs()));
    }
    for (recipient, came) in tried {
        if let Some(Err(error)) = came {
            retryable |= error.is_retryable();
            why.push(format!("{}: {error}", text::without_addresses(recipient.email.as_ref())));
        }
    }
    let mut sentence = format!("taken for {taken} of {} recipients", tried.len());
    if !why.is_empty() {
        sentence = text::line(&format!("{sentence}; the others: {}", why.join("; ")), 500);
    }
    if taken > 0 && !retryable {
        return Ok(Receipt { sentence, status: None });
    }
    // Those who refused it for good do not get it with the next try either.
    let done = tried.iter().filter(|(_, came)| match came {
        Some(Ok(())) => true,
        Some(Err(error)) => !error.is_retryable(),
        None => false,
    });
    let taken = done.map(|(recipient, _)| mark(message, recipient)).collect();
    Err(SendError { sentence, status: None, retryable, not_before_ms: None, taken })
}

fn compose(
    mailer: &Mailer,
    to: &[Mailbox],
    message: &Message,
    now_ms: i64,
) -> Result<lettre::Message, SendError> {
    let domain = mailer.from().email.domain();
    let now = UNIX_EPOCH + Duration::from_millis(now_ms.max(0).unsigned_abs());
    let conversation = [&message.links.rule, "\n", &message.links.subject].concat();
    let conversation = format!("<{}@{domain}>", hash(&conversation));
    let mut builder = lettre::Message::builder()
        .from(mailer.from().clone())
        .subject(subject(message))
        .date(now)
        .message_id(Some(format!("<{}@{domain}>", hash(&message.id))))
        .in_reply_to(conversation.clone())
        .references(conversation)
        // No answers from those who are away (RFC 3834).
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("X-Playhead-Firing", &hash(&message.id)));
    for recipient in to {
        builder = builder.to(recipient.clone());
    }
    let parts = MultiPart::alternative_plain_html(plain(message), page(message));
    builder
        .multipart(parts)
        .map_err(|error| SendError::permanent(format!("the message cannot be written: {error}")))
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// An id may have any character in it; a Message-ID may not.
fn hash(id: &str) -> String {
    blake3::hash(id.as_bytes()).to_hex()[..32].to_owned()
}

fn subject(message: &Message) -> String {
    text::shorten(
        &format!("[{}] {}{}", message.project, message.transition.prefix(), message.title),
        MAX_SUBJECT,
    )
}

fn links(message: &Message) -> impl Iterator<Item = (&'static str, &str)> {
    let replay = message.links.replay.as_deref().unwrap_or_default();
    let links = [
        ("Watch the replay", replay),
        ("Open the issue", message.links.subject.as_str()),
        ("Rule", &message.links.rule),
    ];
    links.into_iter().filter(|(_, url)| !url.is_empty())
}

fn plain(message: &Message) -> String {
    let mut text = format!("{}{}\n", message.transition.prefix(), message.title);
    if !message.culprit.is_empty() {
        text.push_str(&format!("in {}\n", message.culprit));
    }
    text.push_str(&format!("\n{}\n\n", message.why));
    for (name, value) in &message.facts {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text.push_str(&format!("Since: {}\n\n", text::readable(message.since_ms)));
    for (label, url) in links(message) {
        text.push_str(&format!("{label}: {url}\n"));
    }
    text.push_str(&format!("\nSent by the rule \"{}\" of the project {}.\n", message.rule, message.project));
    text
}

const fn color(message: &Message) -> &'static str {
    match (message.transition, message.priority) {
        (Transition::Resolved, _) => "#2b8a3e",
        (Transition::Acknowledged | Transition::Test, _) => "#1864ab",
        (Transition::Triggered | Transition::Escalated, Priority::High) => "#c92a2a",
        (Transition::Triggered | Transition::Escalated, Priority::Medium) => "#a35200",
        (Transition::Triggered | Transition::Escalated, Priority::Low) => "#495057",
    }
}

const fn label(message: &Message) -> &'static str {
    match (message.transition, message.priority) {
        (Transition::Triggered, Priority::High) => "High priority",
        (Transition::Triggered, Priority::Medium) => "Medium priority",
        (Transition::Triggered, Priority::Low) => "Low priority",
        (Transition::Escalated, _) => "Not acknowledged",
        (Transition::Acknowledged, _) => "Acknowledged",
        (Transition::Resolved, _) => "Resolved",
        (Transition::Test, _) => "Test",
    }
}

/// Styles are at the elements, since many programs drop style sheets; no pictures, since they would tell who reads.
fn page(message: &Message) -> String {
    let color = color(message);
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"color-scheme\" content=\"light\"><title>{}</title></head>\
         <body style=\"margin:0;padding:24px 12px;background:#f4f5f7;font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;color:#1f2328\">\
         <table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\"><tr><td align=\"center\">\
         <table role=\"presentation\" cellpadding=\"0\" cellspacing=\"0\" style=\"width:100%;max-width:600px;background:#ffffff;border:1px solid #d9dde2;border-top:4px solid {color};border-radius:6px\">\
         <tr><td style=\"padding:24px\">",
        html(&subject(message)),
    );
    write_body(&mut page, message);
    page.push_str("</td></tr></table></td></tr></table></body></html>\n");
    page
}

fn write_body(page: &mut String, message: &Message) {
    let color = color(message);
    let mut add = |text: std::fmt::Arguments<'_>| {
        // Writing to a string does not fail.
        let _ = page.write_fmt(text);
    };
    add(format_args!(
        "<p style=\"margin:0 0 8px;font-size:13px;font-weight:600;color:{color}\">{} · {}</p>\
         <h1 style=\"margin:0 0 8px;font-size:20px;line-height:1.3;overflow-wrap:anywhere\">{}</h1>",
        label(message),
        html(&message.project),
        html(&message.title),
    ));
    if !message.culprit.is_empty() {
        add(format_args!(
            "<p style=\"margin:0 0 16px;font-family:ui-monospace,Menlo,Consolas,monospace;font-size:13px;color:#57606a;overflow-wrap:anywhere\">{}</p>",
            html(&message.culprit),
        ));
    }
    add(format_args!(
        "<p style=\"margin:0 0 16px;font-size:15px;line-height:1.5\">{}</p>",
        html(&message.why)
    ));
    add(format_args!(
        "<table cellpadding=\"0\" cellspacing=\"0\" style=\"margin:0 0 20px;font-size:14px;line-height:1.6\">"
    ));
    let since = text::readable(message.since_ms);
    let facts = message.facts.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in facts.chain([("Since", since.as_str())]) {
        add(format_args!(
            "<tr><th scope=\"row\" style=\"padding:0 16px 0 0;text-align:left;vertical-align:top;font-weight:400;color:#57606a\">{}</th>\
             <td style=\"overflow-wrap:anywhere\">{}</td></tr>",
            html(name),
            html(value),
        ));
    }
    add(format_args!("</table><p style=\"margin:0 0 20px\">"));
    for (index, (label, url)) in links(message).filter(|(label, _)| *label != "Rule").enumerate() {
        let look =
            if index == 0 { "background:#0b5fd7;color:#ffffff" } else { "background:#ffffff;color:#0b5fd7" };
        add(format_args!(
            "<a href=\"{}\" style=\"display:inline-block;margin:0 8px 8px 0;padding:10px 16px;border:1px solid #0b5fd7;border-radius:6px;font-size:14px;font-weight:600;text-decoration:none;{look}\">{label}</a>",
            html(url),
        ));
    }
    add(format_args!(
        "</p><p style=\"margin:0;font-size:12px;color:#57606a\">Sent by the rule <a href=\"{}\" style=\"color:#57606a\">{}</a>.</p>",
        html(&message.links.rule),
        html(&message.rule),
    ));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::samples;
    use crate::channel::text::cleaned;

    #[test]
    fn a_message_as_text_and_as_a_page() {
        let message = cleaned(&samples::triggered());
        insta::assert_snapshot!(plain(&message));
        insta::assert_snapshot!(page(&message));
    }

    #[test]
    fn what_happened_is_said() {
        samples::assert_what_happened_is_said(|message| page(message) + &subject(message));
    }

    fn mailboxes(users: &[&str]) -> Vec<Mailbox> {
        users.iter().map(|user| format!("{user}@example.com").parse().unwrap()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_slow_does_not_make_forget_who_was_served() {
        let (message, to) = (samples::triggered(), mailboxes(&["ann", "slow", "bob"]));
        let copies: Vec<OwnCopy<'_>> = vec![
            (&to[0], std::future::ready(Ok(())).boxed()),
            (&to[1], std::future::pending().boxed()),
            (&to[2], std::future::ready(Ok(())).boxed()),
        ];
        let tried = each(copies, Instant::now() + WITHIN).await;
        let error = told(&message, &tried).unwrap_err();
        assert!(error.retryable);
        assert_eq!(error.taken, [mark(&message, &to[0])]);
        assert_eq!(error.sentence, "taken for 1 of 3 recipients; the others: 2 not reached within 20 s");
    }

    #[test]
    fn each_try_begins_with_another_recipient() {
        let to = mailboxes(&["ann", "bob", "cy"]);
        let firsts = [0, 1, 2].map(|minute| in_turn(to.clone(), minute * 60_000)[0].clone());
        assert_eq!(firsts.to_vec(), to);
        assert!(in_turn(Vec::new(), 60_000).is_empty());
    }

    #[test]
    fn hostile_texts_are_text() {
        let message = cleaned(&samples::hostile());
        let page = page(&message);
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;"), "{page}");
        assert!(!subject(&message).contains(['\r', '\n']));
        assert!(subject(&message).encode_utf16().count() <= MAX_SUBJECT);
    }
}
