/// An interface.
#[base::interface(id = 1000)]
pub trait Interface {
    /// Two and three words.
    #[operation(2)]
    fn large(&mut self, a: u64, b: [u32; 3]);
    /// Five words back.
    #[operation(3)]
    fn much(&mut self) -> [u32; 5];
}

fn main() {}
