//! The plugin: `kubectl tidegate`.

fn main() -> std::process::ExitCode {
    kubectl_tidegate::process()
}
