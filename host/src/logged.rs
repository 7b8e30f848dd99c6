//! What tells one set of settings from another in the decision log, and the lines of that log read again.

use sha2::{Digest as _, Sha256};

use crate::policy::hex;

/// The digest of settings: of the bytes of their source, or the word `shipped` where there is none.
pub fn settings_digest(source: Option<&[u8]>) -> String {
    source.map_or_else(|| "shipped".to_owned(), |source| format!("sha256:{}", hex(&Sha256::digest(source))))
}
