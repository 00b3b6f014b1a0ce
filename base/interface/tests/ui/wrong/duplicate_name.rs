/// An interface.
#[base::interface(id = 1000)]
pub trait Interface {
    /// An operation.
    #[operation(1)]
    fn page_1(&mut self);
    /// Another one, whose type would have the same name.
    #[operation(2)]
    fn page1(&mut self);
    /// And one that is a function of every client.
    #[operation(3)]
    fn new(&mut self);
}

fn main() {}
