//! The scale subresource: it shows a number before and after, and nothing of the job.

use crate::document::Node;
use crate::operation::Resource;

/// Whether the number of TaskManagers stays what it is; `None`: the request does not tell, and the resource is not known.
///
/// The serializer of `Scale` leaves a zero out, and a number that the resource does not have reads as zero. Two scales
/// without a number so mean either `replicas: 0` once more, or a job that had as many as it needs and shall have none:
/// the API server writes the zero down.
pub(super) fn is_unchanged(
    old: Option<Resource<'_>>,
    new: Option<Node<'_>>,
    deployment: Option<Resource<'_>>,
) -> Option<bool> {
    let Some(old) = old else { return Some(false) };
    let number = |node: Option<Node<'_>>| node.map_or(Some(0), |number| number.integer());
    let before = old.in_spec(&["replicas"]);
    let same = number(before).is_some() && number(before) == number(new);
    if !same || before.is_some() {
        return Some(same);
    }
    let stored = deployment?.in_spec(&["taskManager", "replicas"]);
    Some(stored.is_some_and(|node| node.integer() == Some(0)))
}

#[cfg(test)]
mod tests {
    use super::is_unchanged;
    use crate::operation::Resource;
    use crate::rules::testing::body;

    #[test]
    fn a_number_that_is_left_out_is_told_by_the_resource() {
        let unchanged = |old: &'static str, new: &'static str, stored: Option<&'static str>| {
            let number = body(new).path(&["spec", "replicas"]);
            is_unchanged(Some(Resource::at(body(old))), number, stored.map(|text| Resource::at(body(text))))
        };
        let (none, zero, three) = ("spec: {}", "spec: {replicas: 0}", "spec: {replicas: 3}");
        for (old, new, same) in [(three, three, true), (three, none, false), (none, three, false), (zero, none, true)] {
            assert_eq!(unchanged(old, new, None), Some(same), "{old} {new}");
        }
        for new in [none, zero] {
            assert_eq!(unchanged(none, new, None), None);
            assert_eq!(unchanged(none, new, Some("spec: {taskManager: {replicas: 0}}")), Some(true));
            assert_eq!(unchanged(none, new, Some("spec: {taskManager: {resource: {cpu: 1}}}")), Some(false));
        }
        assert_eq!(is_unchanged(None, None, None), Some(false));
    }
}
