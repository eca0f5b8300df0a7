/** The weather service that two of signalk-server's example plugins ask. */
export const weatherHost = "api.openweathermap.org";
