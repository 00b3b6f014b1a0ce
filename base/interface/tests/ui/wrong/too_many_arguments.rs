/// An interface.
#[base::interface(id = 1000)]
pub trait Interface {
    /// Five arguments.
    #[operation(1)]
    fn many(&mut self, a: u32, b: u32, c: u32, d: u32, e: u32);
}

fn main() {}
