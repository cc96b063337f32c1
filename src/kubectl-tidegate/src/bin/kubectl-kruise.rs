//! The same program under the name that people who come from OpenKruise type.

fn main() -> std::process::ExitCode {
    kubectl_tidegate::process()
}
