//! Definitions that are wrong, and what the compiler says about them.

#[test]
fn each_is_refused_where_it_is_wrong() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/good.rs");
    cases.compile_fail("tests/ui/wrong/*.rs");
}
