use proptest::prelude::*;

use super::*;

/// The name of the function around each `!` of the code.
fn names(code: &str) -> Vec<String> {
    let scopes = Scopes::read(code, |_, name| name.to_owned());
    let mut position = Position::default();
    let mut found = Vec::new();
    for c in code.chars() {
        if c == '!' {
            found.push(scopes.at(position).unwrap_or("outside").to_owned());
        }
        if c == '\n' {
            position = Position { line: position.line + 1, column: 0 };
        } else {
            position.column += c.len_utf16() as u32;
        }
    }
    found
}

#[test]
fn functions_of_every_form_have_their_names() {
    for (code, expected) in [
        ("!a;function f(a){!a}!b", &["outside", "f", "outside"][..]),
        ("async function*f(){!1}", &["f"]),
        ("const f=function(){!1},g=async function(){!2}", &["f", "g"]),
        ("const f=()=>!1,g=async x=>{!2},h=async(a,b=!3)=>[!4];!5", &["f", "g", "h", "h", "outside"]),
        ("x.map(a=>!a).map(function(){!1})", &["", ""]),
        ("a.b.pay=function(){!1}", &["pay"]),
        (
            "const o={pay(){!1},get size(){!2},load:async()=>{!3},'a b':function(){!4},[x](){!5},async *z(){!6}}",
            &["pay", "size", "load", "a b", "", "z"],
        ),
        (
            "class Cart extends B{x=!0;constructor(){!1}pay(a){!2}static async go(){!3}handle=()=>{!4};#p(){!5}get z(){!6}}!7",
            &["new Cart", "new Cart", "Cart.pay", "Cart.go", "Cart.handle", "Cart.#p", "Cart.z", "outside"],
        ),
        ("const C=class{m(){!1}},D=class E{m(){!2}},F=class extends G{m(){!3}}", &["C.m", "E.m", "F.m"]),
        ("var f=({a:{b}})=>!b", &["f"]),
        ("f=x=>x?!1:!2;g=c?y=>!3:!4", &["f", "f", "", "outside"]),
        ("a(x=>!1,!2)", &["", "outside"]),
        ("const f = x => !x\nconst g = !1", &["f", "outside"]),
        ("f=a=>b=>!1;!2", &["", "outside"]),
    ] {
        assert_eq!(names(code), expected, "{code}");
    }
}

#[test]
fn what_looks_like_code_is_none() {
    for (code, expected) in [
        (r#"function f(){"}";'\'}';`}${g(()=>`}`)}}`;/[}/]}/.test(a);!1}!2"#, &["f", "outside"][..]),
        ("function f(){/*}*///}\n!1}!2", &["f", "outside"]),
        ("function f(a){return a/2/b}function g(){!1}", &["g"]),
        ("function f(i){i++/2;if(a)/}/.test(a);x=/}/g;!1}", &["f"]),
        ("function f(){a={b:1}/2;c=d[1]/2;!1}!2", &["f", "outside"]),
        ("function f(){`${`${!1}`}`}!2", &["f", "outside"]),
        ("function f(){if(a){b()}else{c()}for(;;){!1}switch(x){case 1:{!2}}}!3", &["f", "f", "outside"]),
        ("a.class({b(){!1}});x.if(1)", &["b"]),
        ("#!/usr/bin/env node\nfunction f(){!1}", &["outside", "f"]),
        ("function f(){'é😀';!1}!2", &["f", "outside"]),
    ] {
        assert_eq!(names(code), expected, "{code}");
    }
}

#[test]
fn depth_and_number_are_bounded() {
    assert_eq!(names(&format!("{}!1", "(".repeat(1_000_000))), ["outside"]);
    assert_eq!(names(&format!("{}!1", "function f(){".repeat(1_000_000))), ["outside"]);
    let many = "a=>1,".repeat(2_000_000);
    let scopes = Scopes::read(&many, |_, name| name.to_owned());
    assert!(scopes.edges.len() <= MAX_EDGES + 8, "{}", scopes.edges.len());
    assert_eq!(names(&format!("{}!1", "/[ ".repeat(100_000))).len(), 1);
}

/// Texts that look like code here and there.
fn code() -> impl Strategy<Value = String> {
    let words = vec![
        "function",
        "class",
        "extends",
        "=>",
        "async",
        "get",
        "x",
        "constructor",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        "=",
        ":",
        ",",
        ";",
        "?",
        "?.",
        "`",
        "${",
        "/",
        "*",
        "\"",
        "'",
        "\\",
        ".",
        "\n",
        "\r",
        "//",
        "/*",
        "*/",
        "é",
        "😀",
        "return",
        "if",
        "#",
        "1",
        " ",
    ];
    let piece = prop_oneof![4 => prop::sample::select(words).prop_map(str::to_owned), 1 => any::<String>()];
    prop::collection::vec(piece, 0..80).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_is_read_and_its_edges_ascend(code in code()) {
        let scopes = Scopes::read(&code, |_, name| name.to_owned());
        prop_assert!(scopes.edges.is_sorted_by_key(|edge| edge.from), "{:?}", scopes.edges);
        prop_assert!(scopes.edges.iter().all(|edge| edge.name == OUTSIDE || (edge.name as usize) < scopes.names.len()));
    }
}
