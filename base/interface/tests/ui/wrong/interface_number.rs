/// No number.
#[base::interface]
pub trait First {
    /// An operation.
    #[operation(1)]
    fn operation(&mut self);
}

/// Too large.
#[base::interface(id = 65536)]
pub trait Second {
    /// An operation.
    #[operation(1)]
    fn operation(&mut self);
}

/// Another key.
#[base::interface(number = 1)]
pub trait Third {
    /// An operation.
    #[operation(1)]
    fn operation(&mut self);
}

fn main() {}
