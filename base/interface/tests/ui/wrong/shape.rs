/// Generic.
#[base::interface(id = 1000)]
pub trait Generic<T> {
    /// An operation.
    #[operation(1)]
    fn operation(&mut self);
}

/// With a supertrait.
#[base::interface(id = 1001)]
pub trait Above: Copy {
    /// An operation.
    #[operation(1)]
    fn operation(&mut self);
}

/// Empty.
#[base::interface(id = 1002)]
pub trait Empty {}

/// With a constant.
#[base::interface(id = 1003)]
pub trait Constant {
    /// A constant.
    const NUMBER: u32;
}

/// No trait.
#[base::interface(id = 1004)]
pub struct Interface;

fn main() {}
