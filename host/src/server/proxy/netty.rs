//! How much of a head Flink's server reads. Above that it drops headers and body, answers what is left of the request, and
//! hears nothing more on the connection (1.20.5 and 2.3.0, run): what was judged would not be what it does.

use hyper::header::{HeaderMap, HeaderName};
use hyper::{Method, StatusCode};

use super::Refusal;

/// The longest request line, in bytes (`HttpObjectDecoder.DEFAULT_MAX_INITIAL_LINE_LENGTH`).
const LONGEST_LINE: usize = 4096;
/// The most bytes of all headers (`HttpObjectDecoder.DEFAULT_MAX_HEADER_SIZE`).
const LARGEST_HEADERS: usize = 8192;
/// Kept back for what frames the body.
const FRAMING: usize = 64;

/// What the gate adds, and Flink makes no use of.
const ADDED: [HeaderName; 2] =
    [HeaderName::from_static("x-forwarded-for"), HeaderName::from_static("x-forwarded-host")];

/// Makes the headers that go on short enough, without losing one that the client sent.
///
/// # Errors
/// When the head is too long for Flink.
pub(super) fn fit(method: &Method, target: &str, headers: &mut HeaderMap) -> Result<(), Refusal> {
    let line = method.as_str().len() + target.len() + "  HTTP/1.1".len();
    if line > LONGEST_LINE {
        let message = format!(
            "the request line has {line} bytes, and Flink reads no more than {LONGEST_LINE}; send parameters in the body"
        );
        return Err(Refusal::new(StatusCode::URI_TOO_LONG, message));
    }
    let most = LARGEST_HEADERS - FRAMING;
    if size(headers) > most {
        ADDED.iter().for_each(|name| drop(headers.remove(name)));
    }
    match size(headers) {
        size if size > most => {
            let message = format!(
                "the headers have {size} bytes, and Flink reads no more than {most}: above that it drops the body; send fewer, \
                 or shorter ones (cookies, most likely)"
            );
            Err(Refusal::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, message))
        }
        _ => Ok(()),
    }
}

/// Bytes of the headers on the wire.
fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len()).sum()
}

#[cfg(test)]
mod tests {
    use hyper::header::{COOKIE, HeaderMap, HeaderValue};
    use hyper::{Method, StatusCode};

    use super::{ADDED, fit};

    fn with(cookie: usize) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_str(&"a".repeat(cookie)).unwrap());
        ADDED.iter().for_each(|name| drop(headers.insert(name, HeaderValue::from_static("192.0.2.1"))));
        headers
    }

    #[test]
    fn what_flink_would_not_read_is_refused() {
        let fitted = |cookie| {
            let mut headers = with(cookie);
            fit(&Method::POST, "/jobs/a/stop", &mut headers).map(|()| headers.len()).map_err(|refusal| refusal.status)
        };
        assert_eq!(fitted(1_000), Ok(3));
        // What the gate adds gives way first.
        assert_eq!(fitted(8_100), Ok(1));
        assert_eq!(fitted(8_200), Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
        let long = |length: usize| {
            let target = format!("/{}", "a".repeat(length - 1));
            fit(&Method::GET, &target, &mut HeaderMap::new()).map_err(|refusal| refusal.status)
        };
        assert_eq!(long(4_096 - 13), Ok(()));
        assert_eq!(long(4_096 - 12), Err(StatusCode::URI_TOO_LONG));
    }
}
