//! HTTP clients take a proxy from the environment, and a proxy somewhere else can't reach this machine's loopback interface.

/// The variable that would send requests for the site to a proxy, given a look-up of the environment.
pub(super) fn in_the_way(variable: impl Fn(&str) -> Option<String>) -> Option<&'static str> {
    let no_proxy = variable("NO_PROXY").or_else(|| variable("no_proxy")).unwrap_or_default();
    if no_proxy.split(',').any(|host| matches!(host.trim(), "*" | "127.0.0.1" | "127.0.0.0/8")) {
        return None;
    }
    let is_set = |name: &&str| variable(name).is_some_and(|value| !value.is_empty());
    ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].into_iter().find(is_set)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(environment: &[(&str, &str)]) -> Option<&'static str> {
        in_the_way(|name| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn a_proxy_is_in_the_way_unless_this_machine_is_spared() {
        assert_eq!(with(&[]), None);
        assert_eq!(with(&[("http_proxy", "")]), None);
        assert_eq!(with(&[("http_proxy", "http://proxy:3128")]), Some("http_proxy"));
        assert_eq!(with(&[("ALL_PROXY", "http://proxy:3128"), ("NO_PROXY", "example.org")]), Some("ALL_PROXY"));
        assert_eq!(with(&[("ALL_PROXY", "http://proxy:3128"), ("no_proxy", "example.org, 127.0.0.1")]), None);
    }
}
