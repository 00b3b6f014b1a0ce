/// An interface.
#[base::interface(id = 1000)]
pub trait Interface {
    /// An operation.
    #[operation(1)]
    fn first(&mut self);
    /// Another one.
    #[operation(1)]
    fn second(&mut self);
}

fn main() {}
