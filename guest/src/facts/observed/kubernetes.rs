//! Answers of the Kubernetes API: an object, or a list of them. Decoders look the objects up by kind and name.

use super::{Wrong, missing, text};
use crate::document::Node;
use crate::facts::{Absent, Facts};
use crate::operation::ObjectRef;

/// `is_job`: the object is the job that the request is about.
pub(super) fn read<'d>(it: &'d ObjectRef, is_job: bool, root: Node<'d>, facts: &mut Facts<'d>) -> Result<(), Wrong> {
    let kind = text(root, &["kind"]).ok_or_else(|| missing("/kind"))?;
    if kind == "Status" {
        let missing = root.get("reason").is_some_and(|reason| reason.is("NotFound"));
        return Err(match missing {
            true => Wrong::Absent,
            false => Wrong::Unreadable(format!("it is an error: {}", text(root, &["message"]).unwrap_or_default())),
        });
    }
    let Some(name) = &it.name else {
        let items = root.get("items").filter(Node::is_array).ok_or_else(|| missing("/items"))?;
        if text(root, &["metadata", "continue"]).is_some() {
            return Err(Wrong::Unreadable("it is only a part of the list".to_owned()));
        }
        facts.related.extend(items.elements().filter(|item| fits(it, None, item)));
        // Of this kind there are no more.
        facts.absent.push(Absent { kind: (&it.kind).into(), namespace: (&it.namespace).into(), name: "".into() });
        return Ok(());
    };
    if !fits(it, Some(name), &root) {
        return Err(Wrong::other(&text(root, &["metadata", "name"]).unwrap_or_default()));
    }
    if is_job {
        facts.job_status = text(root, &["status", "jobStatus", "state"]);
    }
    facts.related.push(root);
    Ok(())
}

fn fits(it: &ObjectRef, name: Option<&String>, object: &Node<'_>) -> bool {
    object.get("kind").is_some_and(|kind| kind.is(&it.kind))
        && object.path(&["metadata", "namespace"]).is_some_and(|namespace| namespace.is(&it.namespace))
        && name.is_none_or(|name| object.path(&["metadata", "name"]).is_some_and(|node| node.is(name)))
}
