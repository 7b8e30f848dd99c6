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

/// Every object in a file.
///
/// # Errors
/// When a document is neither YAML nor JSON.
pub fn objects(file: &[u8]) -> Result<Vec<Object>, InputError> {
    let mut objects = Vec::new();
    for piece in documents(file) {
        let start = piece.start;
        let text = std::str::from_utf8(piece.bytes).map_err(|_| InputError::new("this is not UTF-8 text"))?;
        let value = kind::value(text).map_err(|mut error| {
            error.offset = error.offset.map(|offset| start + offset);
            error
        })?;
        match value.get("items").and_then(Value::as_array) {
            Some(items) => objects
                .extend(items.iter().map(|item| Object { name: name(item), bytes: item.to_string().into_bytes() })),
            None => objects.push(Object { name: name(&value), bytes: text.as_bytes().to_vec() }),
        }
    }
    Ok(objects)
}

fn name(value: &Value) -> ObjectName {
    let text = |pointer| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    ObjectName { kind: text("/kind"), namespace: text("/metadata/namespace"), name: text("/metadata/name") }
}
