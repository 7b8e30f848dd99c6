//! Documents to operations: each platform's way to say a request, read as the platform reads it. Decoders hand the
//! decoded request on, since it borrows from the documents they parsed.

mod alibaba;
mod flink_rest;
mod http;
mod kubernetes;
mod managed;
mod plan;
mod reads;
mod ververica;

use crate::document::{Document, Reading};
use crate::facts::{self, Contradiction, Declared, Facts, Observed};
use crate::gate::{Api, Envelope, Failure, Request};
use crate::operation::{AssumedBy, Decoded, Dialect, Intent, Lookup, Oddity, OddityKind, Place, Stage, Want};
use crate::settings::Settings;
use http::Call;

/// What every decoder may use besides the request.
struct Context<'c> {
    declared: &'c Declared<'c>,
    observed: &'c Observed<'c>,
    settings: &'c Settings<'c>,
}

impl<'c> Context<'c> {
    /// A stage for this target, with the facts that apply to it.
    fn stage<'d>(&self, platform: Dialect, namespace: &str, name: &str) -> Result<Stage<'d>, Failure>
    where
        'c: 'd,
    {
        Ok(self.fresh(platform, self.declared.about(platform, namespace, name)?))
    }

    /// A stage with these facts.
    fn fresh<'d>(&self, platform: Dialect, facts: Facts<'d>) -> Stage<'d> {
        let trusted = self.settings.accepts_intent_of(facts.principal.as_deref());
        let assumed = AssumedBy::of(self.settings.assume, facts.assume);
        let mut stage = Stage::new(platform, facts);
        stage.intent.trusted = trusted;
        stage.intent.restart_assumed = assumed;
        stage
    }
}

impl<'c> Context<'c> {
    /// Tells which reads answer what rules may want of this stage, and lays what they answered over the facts. An
    /// answer can name what is to be read next, so `lookups` is asked again until nothing more is known.
    fn observe<'d>(&self, stage: &mut Stage<'d>, lookups: &dyn Fn(&Facts<'d>) -> Vec<(Want, Lookup)>)
    where
        'c: 'd,
    {
        let mut seen = Facts::default();
        stage.lookups = lookups(&seen);
        if self.observed.is_empty() {
            return;
        }
        let mut read = Vec::new();
        let mut troubles = Vec::new();
        loop {
            let known = read.len();
            for (want, lookup) in &stage.lookups {
                if self.observed.knows(lookup) && !read.contains(lookup) {
                    read.push(lookup.clone());
                    troubles.extend(self.observed.read(lookup, *want == Want::Job, &mut seen).err());
                }
            }
            if read.len() == known {
                break;
            }
            stage.lookups = lookups(&seen);
        }
        troubles.extend(self.observed.locations(&mut seen));
        for message in troubles {
            let remedy = "look at what answers the gate's reads; until then rules that need it are not judged";
            stage.oddities.push(Oddity::new(OddityKind::ContextUnreadable, Place::Request, message, remedy).warn());
        }
        for Contradiction { what, declared, observed } in facts::lay(&mut stage.facts, seen) {
            let message =
                format!("the declared fact `{what}` differs from what the platform says: the platform's word counts");
            let remedy = "correct the declared fact, or leave it out: what can be read need not be declared";
            let oddity = Oddity::new(OddityKind::FactsContradict, Place::Request, message, remedy);
            stage
                .oddities
                .push(oddity.observed(format!("`{observed}`")).expected(format!("`{declared}`, as declared")));
        }
    }
}

/// Decodes a request and hands it to `then`.
///
/// # Errors
/// When the request cannot be parsed, or is of a kind that is not judged.
pub(crate) fn decode<R>(
    request: &Request<'_>,
    declared: &Declared<'_>,
    observed: &Observed<'_>,
    settings: &Settings<'_>,
    then: impl FnOnce(&Decoded<'_>) -> R,
) -> Result<R, Failure> {
    let context = Context { declared, observed, settings };
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
                    "`{} {}` belongs to no API that is known here; name ververica, alibaba or flink-rest with --api, or with \
                     `api:` in an HttpRequest",
                    head.method,
                    // The query may hold a token.
                    head.target.split(['?', '#']).next().unwrap_or_default()
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
