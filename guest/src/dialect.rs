//! Documents to operations: each platform's way to say a request, read as the platform reads it. Decoders hand the
//! decoded request on, since it borrows from the documents they parsed.

mod alibaba;
mod flink_rest;
mod http;
mod kubernetes;
mod managed;
mod plan;
mod ververica;

use crate::document::{Document, Reading};
use crate::facts::{Declared, Facts};
use crate::gate::{Api, Envelope, Failure, Request};
use crate::operation::{Decoded, Dialect, Intent, Place, Stage};
use crate::settings::Settings;
use http::Call;

/// What every decoder may use besides the request.
struct Context<'c> {
    declared: &'c Declared<'c>,
    settings: &'c Settings<'c>,
}

impl<'c> Context<'c> {
    /// A stage for this target, with the facts that apply to it.
    fn stage<'d>(&self, platform: Dialect, namespace: &str, name: &str) -> Result<Stage<'d>, Failure>
    where
        'c: 'd,
    {
        let facts: Facts<'d> = self.declared.about(platform, namespace, name)?;
        let trusted = self.settings.accepts_intent_of(facts.principal.as_deref());
        let mut stage = Stage::new(platform, facts);
        stage.intent.trusted = trusted;
        stage.intent.assume_restart = self.settings.assume_restart;
        Ok(stage)
    }
}

/// Decodes a request and hands it to `then`.
///
/// # Errors
/// When the request cannot be parsed, or is of a kind that is not judged.
pub(crate) fn decode<R>(
    request: &Request<'_>,
    declared: &Declared<'_>,
    settings: &Settings<'_>,
    then: impl FnOnce(&Decoded<'_>) -> R,
) -> Result<R, Failure> {
    let context = Context { declared, settings };
    match &request.envelope {
        Envelope::AdmissionReview => {
            let review = parse("the AdmissionReview", request.body)?;
            kubernetes::review(review.root(), &context, then)
        }
        Envelope::Manifest(live) => {
            let manifest = parse("the manifest", request.body)?;
            let live = live.map(|bytes| parse("the live object", bytes)).transpose()?;
            kubernetes::manifest(manifest.root(), live.as_ref().map(Document::root), &context, then)
        }
        Envelope::Plan => {
            let plan = parse("the change plan", request.body)?;
            plan::decode(plan.root(), &context, then)
        }
        Envelope::Http(head) => {
            let call = Call::read(head, request.body);
            match head.api.or_else(|| call.tell_api()) {
                Some(Api::Ververica) => ververica::decode(&call, &context, then),
                Some(Api::Alibaba) => alibaba::decode(&call, &context, then),
                Some(Api::FlinkRest) => flink_rest::decode(&call, &context, then),
                None => Err(Failure::unsupported(format!(
                    "`{} {}` belongs to no API that is known here; name it with --api ververica, alibaba or flink-rest",
                    head.method, head.target
                ))),
            }
        }
    }
}

fn parse<'b>(what: &str, bytes: &'b [u8]) -> Result<Document<'b>, Failure> {
    Document::parse(bytes, Reading::JsonOrYaml).map_err(|error| Failure::document(what, error))
}

/// Reads what a header or an annotation says about a restart; false: the word is not known. Of two words, `restart` is
/// the safe one.
fn read_intent<'d>(intent: &mut Intent<'d>, word: &str, place: Place<'d>) -> bool {
    intent.requester = match word {
        "restart" => Some(true),
        "final" if intent.requester == Some(true) => return true,
        "final" => Some(false),
        _ => return false,
    };
    intent.place = place;
    true
}
