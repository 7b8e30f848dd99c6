//! Live objects, as `kubectl get -o yaml` prints them: one document each, or a list.

use serde_json::Value;

use super::{InputError, ObjectName, documents, kind};

/// A live object.
#[derive(Clone, Debug)]
pub struct Object {
    /// What it is called.
    pub name: ObjectName,
    /// The object, as YAML or JSON.
    pub bytes: Vec<u8>,
}

/// Every object in a file; an empty list is one way to say that there is none.
///
/// # Errors
/// When a document is neither YAML nor JSON, or none of them is an object or a list.
pub fn objects(file: &[u8]) -> Result<Vec<Object>, InputError> {
    let mut objects = Vec::new();
    let mut lists = 0;
    for piece in documents(file) {
        let text = std::str::from_utf8(piece.bytes)
            .map_err(|error| InputError::at("this is not UTF-8 text", piece.start + error.valid_up_to()))?;
        let value = kind::value(text).map_err(|error| error.after(piece.start))?;
        match value.get("items").and_then(Value::as_array) {
            Some(items) => {
                lists += 1;
                objects.extend(items.iter().map(|item| Object { name: name(item), bytes: item.to_string().into() }));
            }
            None => objects.push(Object { name: name(&value), bytes: text.into() }),
        }
    }
    objects.retain(|object| !object.name.kind.is_empty());
    match objects.is_empty() && lists == 0 {
        true => Err(InputError::new(
            "there is no Kubernetes object in it; give what `kubectl get -o yaml` prints (with nothing live: a `List` without items)",
        )),
        false => Ok(objects),
    }
}

fn name(value: &Value) -> ObjectName {
    let text = |pointer| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    ObjectName { kind: text("/kind"), namespace: text("/metadata/namespace"), name: text("/metadata/name") }
}
