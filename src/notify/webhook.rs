//! The news as JSON, posted to an address; asked again where that may help, for a limited time.

use super::{News, NotifyError};
use reqwest::{Client, StatusCode, Url, header, redirect};
use std::time::{Duration, Instant};

/// How often a request is sent, and how long an answer is waited for.
#[derive(Debug, Clone, Copy)]
struct Patience {
    attempts: u32,
    /// Before the second attempt; doubled before each further one.
    pause: Duration,
    /// For one answer.
    answer: Duration,
    /// For everything: no attempt begins after it.
    total: Duration,
}

const PATIENCE: Patience = Patience {
    attempts: 4,
    pause: Duration::from_secs(1),
    answer: Duration::from_secs(10),
    total: Duration::from_secs(30),
};

/// Sends the news. Addresses hold secrets: only their host is ever said.
pub(super) fn send(webhook: &str, news: &News, env: &dyn Fn(&str) -> Option<String>) -> Result<(), NotifyError> {
    let url = address(webhook, env)?;
    let body = serde_json::to_vec(news).map_err(|error| NotifyError::Address { reason: error.to_string() })?;
    post(&url, body, PATIENCE)
}

fn address(webhook: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Url, NotifyError> {
    let typed = match webhook.strip_prefix("env:") {
        Some(name) => {
            let set = env(name).filter(|value| !value.is_empty());
            set.ok_or_else(|| NotifyError::Unset { name: name.to_owned() })?
        }
        None => webhook.to_owned(),
    };
    let url = Url::parse(typed.trim()).map_err(|error| NotifyError::Address { reason: error.to_string() })?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(NotifyError::Address { reason: format!("its scheme is `{other}`") }),
    }
}

fn post(url: &Url, body: Vec<u8>, patience: Patience) -> Result<(), NotifyError> {
    let host = url.host_str().unwrap_or_default().to_owned();
    let failed = |attempts, reason| NotifyError::Webhook { host: host.clone(), attempts, reason };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| failed(0, error.to_string()))?;
    // A redirected POST would arrive as something else.
    let client = Client::builder().timeout(patience.answer).redirect(redirect::Policy::none());
    let client = client.user_agent(concat!("probity/", env!("CARGO_PKG_VERSION"))).build();
    let client = client.map_err(|error| failed(0, reason(error)))?;
    let (started, mut pause) = (Instant::now(), patience.pause);
    for attempt in 1.. {
        let refused = match runtime.block_on(once(&client, url, body.clone())) {
            Ok(()) => return Ok(()),
            Err(refused) => refused,
        };
        let out_of_time = started.elapsed() + pause >= patience.total;
        if !refused.again || attempt >= patience.attempts || out_of_time {
            return Err(failed(attempt, refused.reason));
        }
        tracing::info!(host, attempt, reason = refused.reason, "the webhook is asked again");
        std::thread::sleep(pause);
        pause *= 2;
    }
    Ok(())
}

struct Refused {
    /// Whether another attempt may help.
    again: bool,
    reason: String,
}

async fn once(client: &Client, url: &Url, body: Vec<u8>) -> Result<(), Refused> {
    let request = client.post(url.clone()).header(header::CONTENT_TYPE, "application/json").body(body);
    let answer = request.send().await.map_err(|error| Refused { again: true, reason: reason(error) })?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let busy = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&status);
    Err(Refused { again: busy || status.is_server_error(), reason: format!("it answered {status}") })
}

/// The error and what is behind it, without the address.
fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    const QUICK: Patience = Patience {
        attempts: 3,
        pause: Duration::from_millis(1),
        answer: Duration::from_millis(500),
        total: Duration::from_secs(20),
    };

    /// Answers one request after the other with these statuses (0: not at all); returns what it was sent.
    fn server(statuses: &'static [u16]) -> (Url, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/secret?token=hush", listener.local_addr().unwrap());
        let answering = std::thread::spawn(move || {
            let mut unanswered = Vec::new();
            let answer = |status: &u16| {
                let (mut stream, _) = listener.accept().unwrap();
                let request = read_request(&mut stream);
                match status {
                    0 => unanswered.push(stream),
                    _ => {
                        write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap()
                    }
                }
                request
            };
            statuses.iter().map(answer).collect()
        });
        (url.parse().unwrap(), answering)
    }

    fn read_request(stream: &mut impl Read) -> String {
        let (mut text, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            let n = stream.read(&mut buffer).unwrap();
            text.extend_from_slice(&buffer[..n]);
            let so_far = String::from_utf8_lossy(&text).into_owned();
            if n == 0 || so_far.ends_with("{}") {
                return so_far;
            }
        }
    }

    #[test]
    fn the_body_arrives_as_json() {
        let (url, server) = server(&[200]);
        post(&url, b"{}".to_vec(), QUICK).unwrap();
        let requests = server.join().unwrap();
        assert!(requests[0].starts_with("POST /secret?token=hush HTTP/1.1"), "{requests:?}");
        assert!(requests[0].contains("content-type: application/json"), "{requests:?}");
        assert!(requests[0].ends_with("\r\n\r\n{}"), "{requests:?}");
    }

    #[test]
    fn what_may_pass_is_asked_again_and_what_may_not_is_not() {
        let (url, busy) = server(&[503, 0, 204]);
        post(&url, b"{}".to_vec(), QUICK).unwrap();
        assert_eq!(busy.join().unwrap().len(), 3);
        let (url, refusing) = server(&[404]);
        let error = post(&url, b"{}".to_vec(), QUICK).unwrap_err().to_string();
        refusing.join().unwrap();
        assert!(error.contains("in 1 attempt: it answered 404"), "{error}");
        let (url, broken) = server(&[500, 500, 500]);
        let error = post(&url, b"{}".to_vec(), QUICK).unwrap_err().to_string();
        broken.join().unwrap();
        assert!(error.contains("in 3 attempts: it answered 500"), "{error}");
        let (url, moved) = server(&[307]);
        let error = post(&url, b"{}".to_vec(), QUICK).unwrap_err().to_string();
        moved.join().unwrap();
        assert!(error.contains("307"), "{error}");
    }

    #[test]
    fn nobody_at_home_is_said_without_the_secret() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let url = format!("http://{free}/secret?token=hush").parse().unwrap();
        let error = post(&url, Vec::new(), QUICK).unwrap_err().to_string();
        assert!(error.contains("127.0.0.1") && error.contains("3 attempts"), "{error}");
        assert!(!error.contains("hush") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn an_address_comes_from_the_environment_or_is_typed() {
        let env = |name: &str| (name == "HOOK").then(|| "https://example.org/x\n".to_owned());
        assert_eq!(address("env:HOOK", &env).unwrap().as_str(), "https://example.org/x");
        assert_eq!(address("http://a.b/c", &env).unwrap().as_str(), "http://a.b/c");
        assert!(matches!(address("env:OTHER", &env), Err(NotifyError::Unset { name }) if name == "OTHER"));
        for wrong in ["ftp://a.b", "a.b/c", ""] {
            assert!(matches!(address(wrong, &env), Err(NotifyError::Address { .. })), "{wrong}");
        }
    }
}
