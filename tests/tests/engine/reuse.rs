//! What a call allocates is given back after it: a host may keep one instance, as the engine here does not.

use wasmtime::component::{Component, Linker, Val};
use wasmtime::{Engine, ResourceLimiter, Store};

struct Memory(usize);

impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.0 = desired;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

#[test]
fn many_calls_on_one_instance_need_no_more_memory_than_one() {
    let engine = Engine::default();
    let component = Component::from_binary(&engine, sluicegate::Policy::embedded_component()).unwrap();
    let mut store = Store::new(&engine, Memory(0));
    store.limiter(|memory| memory);
    let instance = Linker::new(&engine).instantiate(&mut store, &component).unwrap();
    let gate = instance.get_export_index(&mut store, None, "sluicegate:policy/gate@0.1.0").unwrap();
    let function = |store: &mut Store<Memory>, name| {
        let index = instance.get_export_index(&mut *store, Some(&gate), name).unwrap();
        instance.get_func(&mut *store, index).unwrap()
    };
    let (check, settings) = (function(&mut store, "check"), function(&mut store, "compile-settings"));

    let bytes = |text: &str| Val::List(text.bytes().map(Val::U8).collect());
    // 64 KB, so that one in a hundred kept would show.
    let body = format!(r#"{{"drain": true, "targetDirectory": "s3://bucket/{}"}}"#, "x".repeat(1 << 16));
    let head = Val::Record(vec![
        ("api".to_owned(), Val::Option(None)),
        ("method".to_owned(), Val::String("POST".to_owned())),
        ("target".to_owned(), Val::String("/jobs/a0b1c2d3e4f5a0b1c2d3e4f5a0b1c2d3/stop".to_owned())),
        ("headers".to_owned(), Val::List(Vec::new())),
    ]);
    let envelope = Val::Variant("http".to_owned(), Some(Box::new(head)));
    let request = Val::Record(vec![("envelope".to_owned(), envelope), ("body".to_owned(), bytes(&body))]);
    let question = [request, Val::List(Vec::new()), Val::List(Vec::new())];
    let wrong = [bytes("rules: {no-such-rule: {level: deny}, nor-this: 1}")];

    let once = |store: &mut Store<Memory>| {
        let mut answer = [Val::Bool(false)];
        check.call(&mut *store, &question, &mut answer).unwrap();
        assert!(matches!(answer[0], Val::Result(Ok(_))), "{answer:?}");
        settings.call(&mut *store, &wrong, &mut answer).unwrap();
        assert!(matches!(answer[0], Val::Result(Err(_))), "{answer:?}");
    };
    (0..10).for_each(|_| once(&mut store));
    let first = store.data().0;
    (0..300).for_each(|_| once(&mut store));
    assert_eq!(store.data().0, first, "the instance grew");
}
