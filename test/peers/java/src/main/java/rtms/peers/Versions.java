package rtms.peers;

import java.util.regex.Pattern;

/** The version in the name of the jar that a class was loaded from. */
final class Versions {
  private static final Pattern JAR = Pattern.compile("-(\\d[^/]*)\\.jar$");

  private Versions() {}

  static String of(Class<?> type) {
    var jar = JAR.matcher(type.getProtectionDomain().getCodeSource().getLocation().getPath());
    if (!jar.find()) throw new IllegalStateException("no version of " + type);
    return jar.group(1);
  }
}
