//! What a component imports, read from its bytes: wasmtime forgets imports that are only names of types.

use wasmparser::{Parser, Payload};

use super::error::PolicyError;

/// The names of everything the component itself imports; what its parts import from each other does not count.
pub(super) fn of(component: &[u8]) -> Result<Vec<String>, PolicyError> {
    if !component.starts_with(b"\0asm") {
        return Err(PolicyError::Unusable("it is no WebAssembly at all; give the `.wasm` file of a policy".to_owned()));
    }
    let unusable = |error: wasmparser::BinaryReaderError| PolicyError::Unusable(error.message().to_owned());
    let mut names = Vec::new();
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(unusable)? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(imports) if depth == 0 => {
                for import in imports {
                    names.push(format!("`{}`", import.map_err(unusable)?.name.name));
                }
            }
            _ => {}
        }
    }
    Ok(names)
}
